/* What the parts of the loader share. Read main.c for the requests. */
#ifndef LOADER_H
#define LOADER_H

#include <stdbool.h>
#include <stdint.h>

/* Changes whenever a request changes its meaning; the host refuses a loader it does not know. */
#define VERSION 1

/* Why the last EEPROM request failed; answered by the status request. */
enum reason {
    REASON_NONE = 0,
    REASON_NO_PART = 1,      /* no ACK to the control byte, no write before it */
    REASON_ADDRESS_NACK = 2, /* no ACK to an address byte */
    REASON_DATA_NACK = 3,    /* no ACK to a data byte: write protected, or the part is gone */
    REASON_BUS_ERROR = 4,    /* BERR: SDA or SCL held low, or no pull-ups */
    REASON_NO_DONE = 5,      /* the I2C master did not finish a byte */
    REASON_STILL_BUSY = 6,   /* no ACK within the longest write cycle waited for */
    REASON_WIDTH = 7,        /* two address bytes asked of a part that takes one */
    REASON_ABANDONED = 8,    /* the host began another request */
};

/* i2c.c: one byte at a time on the I2C bus. Each wait is bounded. */
extern enum reason i2c_trouble; /* REASON_BUS_ERROR or REASON_NO_DONE of the last failure */
void i2c_speed(bool fast);
bool i2c_wait(void);                /* until DONE; false with i2c_trouble */
bool i2c_start(uint8_t control);    /* START and control byte; true when acknowledged */
bool i2c_put(uint8_t byte);         /* true when acknowledged */
uint8_t i2c_put_page(uint8_t count); /* of page_buffer, at least 1; returns how many were acknowledged */
void i2c_stop(void);

/* eeprom.c: whole requests to the EEPROM. */
extern uint8_t eeprom_page;         /* bytes, a power of two, 1 to 128 */
extern uint8_t eeprom_mask;         /* bit n: I2C address 50h + n acknowledged at the last probe */
extern uint8_t eeprom_width;        /* address bytes of the part the chip boots from; 0: none */
extern enum reason eeprom_reason;
extern uint16_t eeprom_address;     /* of the next byte, or of the one that failed */
extern uint16_t eeprom_cycles;      /* write cycles begun since the loader started */
void eeprom_probe(void);
bool eeprom_read(uint8_t width, uint16_t address, uint16_t length);
bool eeprom_write(uint8_t width, uint16_t address, uint16_t length);

/* endpoint_zero.c: the data stage of control transfers. */
#define PAGE_MOST 128
/* The upper half of the 8051's own RAM; variables and stack have the lower. */
#define page_buffer ((__idata uint8_t *)0x80)
bool setup_waits(void);             /* the host has begun another request */
void out_begin(uint16_t length);    /* lets the first packet in */
bool out_gather(uint8_t count);     /* fills page_buffer; lets the next packet in early */
bool in_free(void);                 /* waits until IN_BUFFER may be filled */
void in_send(uint8_t count);        /* sends what is in IN_BUFFER */

#endif
