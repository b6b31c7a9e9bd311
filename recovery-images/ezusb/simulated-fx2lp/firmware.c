/* The firmware of the simulated EZ-USB enclosures: a small disk that can be read.
 *
 * Of use only in the simulator. It answers the standard requests of a host here, and the commands of
 * mass storage in disk.c; request A0, by which `recover` gets in, is the silicon's. It leaves the bus
 * and comes back when it starts, so that it shows itself however it was started. Built for either
 * register map and each chip by build.sh. */

#include "disk.h"
#include "endpoints.h"

#ifndef PRODUCT_ID
#error "build.sh says which enclosure it is for"
#endif

static const __code uint8_t device[18] = {
    18, 1, 0x00, 0x02, 0, 0, 0, 64, 0x09, 0x12, PRODUCT_ID, 0x00, 0x00, 0x01, 1, 2, 3, 1,
};

static const __code uint8_t configuration[32] = {
    9, 2, 32, 0, 1, 1, 0, 0xC0, 0,      /* self-powered */
    9, 4, 0, 0, 2, 0x08, 0x06, 0x50, 0, /* mass storage, SCSI, bulk-only */
    7, 5, 0x02, 2, 64, 0, 0,            /* out */
    7, 5, ENDPOINT_IN, 2, 64, 0, 0,     /* in */
};
#ifdef HIGH_SPEED
static const __code uint8_t qualifier[10] = {10, 6, 0x00, 0x02, 0, 0, 0, 64, 1, 0};
/* Code and data share this chip's RAM. */
#define POKE(at, value) (*(__xdata uint8_t *)(uint16_t)&configuration[at] = (value))

/* Makes it that of a speed: packets of 512 bytes at high speed, of 64 at full. */
static void fit_configuration(uint8_t kind, uint8_t is_high)
{
    uint8_t low = is_high ? 0 : 64;
    uint8_t high = is_high ? 2 : 0;

    POKE(1, kind);
    POKE(22, low);
    POKE(23, high);
    POKE(29, low);
    POKE(30, high);
}
#endif

/* One behind the other, the language table first. */
static const __code uint8_t strings[] = {
    4, 3, 0x09, 0x04,
    16, 3, 'r', 0, 'e', 0, 'c', 0, 'o', 0, 'v', 0, 'e', 0, 'r', 0,
    2 + 2 * (PRODUCT_LETTERS + 20), 3, PRODUCT,
    ' ', 0, 'e', 0, 'n', 0, 'c', 0, 'l', 0, 'o', 0, 's', 0, 'u', 0, 'r', 0, 'e', 0,
    ' ', 0, '(', 0, 'v', 0, 'i', 0, 'r', 0, 't', 0, 'u', 0, 'a', 0, 'l', 0, ')', 0,
    26, 3, 'F', 0, '0', 0, 'C', 0, '0', 0, 'F', 0, 'F', 0, 'E', 0, 'E', 0,
    '0', 0, '0', 0, '0', 0, PRODUCT_ID + '0', 0,
};
#define STRINGS 4

static uint8_t configured;

static void pass(void)
{
    uint16_t n;

    for (n = 0; n != 0x8000; n++)
        USBIRQ;
}

/* False when the host has begun another request. */
static uint8_t is_free(void)
{
    while (EP0CS & IN_BUSY) {
        if (USBIRQ & SUDAV)
            return 0;
    }
    return 1;
}

/* Nothing here is longer than a packet. */
static uint8_t send(const __code uint8_t *from, uint8_t count)
{
    uint8_t n;

    if (!SETUPDAT[7] && SETUPDAT[6] < count)
        count = SETUPDAT[6];
    if (!is_free())
        return 0;
    for (n = 0; n != count; n++)
        IN_BUFFER[n] = *from++;
#ifdef EZUSB_MAP_E6
    EP0BCH = 0;
    EP0BCL = count;
#else
    IN0BC = count;
#endif
    return 1;
}

static uint8_t send_byte(uint8_t count, uint8_t byte)
{
    if (!is_free())
        return 0;
    IN_BUFFER[0] = byte;
    IN_BUFFER[1] = 0;
#ifdef EZUSB_MAP_E6
    EP0BCH = 0;
    EP0BCL = count;
#else
    IN0BC = count;
#endif
    return 1;
}

static uint8_t descriptor(void)
{
    const __code uint8_t *string = strings;
    uint8_t n;

    switch (SETUPDAT[3]) {
    case 1:
        return send(device, sizeof device);
#ifdef HIGH_SPEED
    case 7:
        fit_configuration(7, !IS_HIGH_SPEED);
        return send(configuration, sizeof configuration);
    case 6:
        return send(qualifier, sizeof qualifier);
#endif
    case 2:
#ifdef HIGH_SPEED
        fit_configuration(2, IS_HIGH_SPEED);
#endif
        return send(configuration, sizeof configuration);
    case 3:
        if (SETUPDAT[2] >= STRINGS)
            return 0;
        for (n = SETUPDAT[2]; n; n--)
            string += string[0];
        return send(string, string[0]);
    }
    return 0;
}

static uint8_t answer(void)
{
    if (SETUPDAT[0] == 0xA1 && SETUPDAT[1] == 0xFE) /* GET MAX LUN */
        return send_byte(1, 0);
    if (SETUPDAT[0] == 0x21 && SETUPDAT[1] == 0xFF) { /* Bulk-Only Mass Storage Reset */
        disk_reset();
        return 1;
    }
    if (SETUPDAT[0] & 0x60)
        return 0;
    switch (SETUPDAT[1]) {
    case 0: /* GET_STATUS: self-powered device, nothing halted */
        return send_byte(2, SETUPDAT[0] == 0x80);
    case 1: /* CLEAR_FEATURE */
    case 11: /* SET_INTERFACE */
        return 1;
    case 6:
        return descriptor();
    case 8: /* GET_CONFIGURATION */
        return send_byte(1, configured);
    case 9: /* SET_CONFIGURATION */
        configured = SETUPDAT[2];
        disk_reset();
        return 1;
    case 10: /* GET_INTERFACE */
        return send_byte(1, 0);
    }
    return 0;
}

/* Answers what the host asks on endpoint 0, if it asks something. */
void control(void)
{
    uint8_t is_done;

    if (!(USBIRQ & SUDAV))
        return;
    USBIRQ = SUDAV;
    is_done = answer();
    if (USBIRQ & SUDAV)
        return;
    if (!is_done)
        EP0CS = STALL;
    EP0CS = is_done ? HSNAK : (STALL | HSNAK);
}

void main(void)
{
    IE = 0;
    configured = 0;
    pass(); /* for the status stage of the request that may have started this */
    USBCS = DISCONNECTED;
    pass();
    disk_reset();
    USBIRQ = SUDAV;
    USBCS = CONNECTED;
    for (;;) {
        control();
        if (configured)
            disk();
    }
}
