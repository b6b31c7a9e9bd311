/* The serial EEPROM: which one the chip boots from, reading, and whole-page writes.
 *
 * A write never crosses a page's end: the part would wrap to the page's start. The part answers
 * nothing from STOP until its write cycle is over, so the first control byte it acknowledges after
 * a write is the next page's; meanwhile the next page has come over USB [24LC64, 24LC16B data
 * sheets]. A read sends its address by a write without STOP, which changes nothing in any part. */

#include "loader.h"
#include "registers.h"

#ifdef EZUSB_MAP_E6
#define POLLS_FAST 2000 /* about 30 us each */
#define POLLS_SLOW 600  /* about 115 us each */
#else
#define POLLS_FAST 500
#define POLLS_SLOW 500
#endif

uint8_t eeprom_page;
uint8_t eeprom_mask;
uint8_t eeprom_width;
enum reason eeprom_reason;
uint16_t eeprom_address;
uint16_t eeprom_cycles;

static uint8_t control;
static uint8_t address_bytes;

/* Ends whatever the bus is in and keeps the reason; always false. */
static bool fail(enum reason reason)
{
    eeprom_reason = i2c_trouble ? i2c_trouble : reason;
    i2c_stop();
    return false;
}

/* The boot ROM's own rule: what answers at 50h takes one address byte, else what answers at 51h
 * takes two. A 24LC16 answers at both and is the former. [Cypress DOC-13342] */
void eeprom_probe(void)
{
    uint8_t n;

    eeprom_mask = 0;
    for (n = 8; n--;) {
        eeprom_mask <<= 1;
        if (i2c_start(0xA0 | (n << 1)))
            eeprom_mask |= 1;
        i2c_stop();
        if (i2c_trouble) {
            eeprom_reason = i2c_trouble;
            eeprom_mask = 0;
            break;
        }
    }
    eeprom_width = (eeprom_mask & 1) ? 1 : (eeprom_mask & 2) ? 2 : 0;
}

/* Until the part acknowledges its control byte; the bus is then ready for the address. */
static bool await_part(bool after_write)
{
#ifdef EZUSB_MAP_E6
    uint16_t polls = (I2CTL & 1) ? POLLS_FAST : POLLS_SLOW;
#else
    uint16_t polls = POLLS_SLOW;
#endif

    do {
        if (i2c_start(control))
            return true;
        if (i2c_trouble)
            break;
        i2c_stop();
    } while (--polls);
    return fail(after_write ? REASON_STILL_BUSY : REASON_NO_PART);
}

static void choose(uint8_t width, uint16_t address)
{
    eeprom_reason = REASON_NONE;
    eeprom_address = address;
    address_bytes = width;
}

static bool send_address(bool after_write)
{
    if (address_bytes == 1) /* the address bits above eight are in the control byte */
        control = 0xA0 | ((uint8_t)(eeprom_address >> 8) & 7) << 1;
    else
        control = 0xA2;
    if (!await_part(after_write))
        return false;
    if (address_bytes == 2 && !i2c_put(eeprom_address >> 8))
        return fail(REASON_ADDRESS_NACK);
    if (!i2c_put(eeprom_address))
        return fail(REASON_ADDRESS_NACK);
    return true;
}

bool eeprom_read(uint8_t width, uint16_t address, uint16_t length)
{
    __xdata uint8_t *to = IN_BUFFER;
    uint8_t at = 0;
    uint8_t byte;
    uint8_t turns;

    choose(width, address);
    if (!send_address(false))
        return false;
    if (!i2c_start(control | 1))
        return fail(REASON_NO_PART);
    if (length == 1)
        I2CS = I2C_LASTRD;
    byte = I2DAT; /* not data: it starts the first byte's clocks */
    while (length) {
        turns = 0;
        while (!(I2CS & I2C_DONE) && --turns)
            ;
        if ((I2CS & (I2C_DONE | I2C_BERR)) != I2C_DONE && !i2c_wait())
            return fail(REASON_NO_DONE);
        if (length <= 2)
            I2CS = length == 2 ? I2C_LASTRD : I2C_STOP;
        byte = I2DAT; /* and starts the next byte's clocks, unless it was the last */
        if (at == 0 && !in_free()) {
            if (length > 1) { /* let the part go: refuse the byte that is coming, then stop */
                I2CS = I2C_LASTRD;
                i2c_wait();
                fail(REASON_ABANDONED);
                byte = I2DAT;
            }
            eeprom_reason = REASON_ABANDONED;
            return false;
        }
        *to++ = byte;
        at++;
        if (--length == 0 || at == 64) {
            eeprom_address += at;
            in_send(at);
            at = 0;
            to = IN_BUFFER;
        }
    }
    for (length = 0x400; length && (I2CS & I2C_STOP); length--)
        ;
    return true;
}

bool eeprom_write(uint8_t width, uint16_t address, uint16_t length)
{
    bool written = false;
    uint8_t room;
    uint8_t n;

    choose(width, address);
    out_begin(length);
    while (length) {
        room = eeprom_page - ((uint8_t)eeprom_address & (eeprom_page - 1));
        if (length < room)
            room = length;
        if (!out_gather(room)) {
            eeprom_reason = REASON_ABANDONED;
            return false;
        }
        if (!send_address(written))
            return false;
        n = i2c_put_page(room);
        if (n != room) {
            eeprom_address += n;
            return fail(REASON_DATA_NACK);
        }
        i2c_stop();
        written = true;
        eeprom_cycles++;
        eeprom_address += room;
        length -= room;
    }
    if (written) { /* the status stage says that the part is ready again */
        if (!await_part(true))
            return false;
        i2c_stop();
    }
    return true;
}
