/* The EZ-USB loader: runs from RAM and reaches the EEPROM behind the chip.
 *
 * It stays the device the host already knows: no disconnect, and the descriptors below, whose ids
 * the host sets to the device's own before it loads them. It polls; no interrupt is enabled.
 *
 * Vendor requests (type 40 to the device, C0 from it). As existing tools know them:
 *   A2  EEPROM with one address byte, at 50h   wValue address; in and out
 *   A3  XDATA                                  wValue address; in and out
 *   A5  EEPROM type                            in, 1 byte: 1 two address bytes, 0 one or none
 *   A8  disconnect and connect again           out
 *   A9  EEPROM with two address bytes, at 51h  wValue address; in and out
 *   B0  page size                              out, wValue log2 of bytes; 1 byte until set
 * Of its own:
 *   B8  hello    in, 8 bytes: "rc" VERSION MAP CPUCS REVID 0 0
 *   B9  probe    in, 8 bytes: bit mask of 50h..57h, address bytes or 0, what the boot ROM found
 *                (I2CS bits 4:3), 400 kHz, page bytes, reason, 0, 0
 *   BA  status   in, 8 bytes: reason, address (high, low), control page bytes, write cycles
 *                (high, low), 0, 0
 *   BB  set      out, wValue log2 of the page's bytes, wIndex 1 for 400 kHz
 *   BC  EEPROM   in and out like A2 and A9, address bytes as probed
 * A0, RAM and CPUCS, is answered by the silicon whatever runs here.
 *
 * A request that fails is stalled; BA says why. In and out take up to 65535 bytes. */

#include "loader.h"
#include "registers.h"

/* Where the host writes idVendor, idProduct and bcdDevice: bytes 8 to 13. */
#define DEVICE_DESCRIPTOR 0x0DE0

static const __code __at(DEVICE_DESCRIPTOR) uint8_t device_descriptor[18] = {
    18, 1, 0x00, 0x02, 0xFF, 0xFF, 0xFF, 64, 0xB4, 0x04, 0x13, 0x86, 0x00, 0x00, 0, 0, 0, 1,
};

static const __code uint8_t configuration[18] = {
    9, 2, 18, 0, 1, 1, 0, 0x80, 50, /* bus powered, 100 mA */
    9, 4, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0,
};

static __xdata uint8_t setup[8];
static __xdata uint8_t answer[8];
static uint8_t configured;
static uint8_t alternate;

#define REQUEST_TYPE setup[0]
#define REQUEST setup[1]
#define VALUE word(2)
#define LENGTH word(6)
#define IS_IN (REQUEST_TYPE & 0x80)

static uint16_t word(uint8_t at)
{
    return (uint16_t)((uint16_t)setup[at + 1] << 8) | setup[at];
}

/* One packet, at most what the host asked for. */
static bool reply(const uint8_t *bytes, uint8_t count)
{
    uint8_t n;

    if (LENGTH < count)
        count = LENGTH;
    if (!in_free())
        return false;
    for (n = 0; n != count; n++)
        IN_BUFFER[n] = bytes[n];
    in_send(count);
    return true;
}

static bool set_page(void)
{
    if (setup[3] || setup[2] > 7)
        return false;
    eeprom_page = 1 << setup[2];
    return true;
}

static bool eeprom(uint8_t width)
{
    if (IS_IN)
        return eeprom_read(width, VALUE, LENGTH);
    return eeprom_write(width, VALUE, LENGTH);
}

static bool xdata(void)
{
    __xdata uint8_t *at = (__xdata uint8_t *)VALUE;
    uint16_t left = LENGTH;
    uint8_t count;
    uint8_t n;

    if (!IS_IN)
        out_begin(left);
    while (left) {
        count = left < 64 ? left : 64;
        if (IS_IN) {
            if (!in_free())
                return false;
            for (n = 0; n != count; n++)
                IN_BUFFER[n] = *at++;
            in_send(count);
        } else {
            if (!out_gather(count))
                return false;
            for (n = 0; n != count; n++)
                *at++ = page_buffer[n];
        }
        left -= count;
    }
    return true;
}

static void delay(uint8_t times)
{
    uint16_t n;

    while (times--) {
        for (n = 0; n != 0x4000; n++) /* about 10 ms at 48 MHz */
            I2CS;
    }
}

static void acknowledge(void)
{
    EP0CS = HSNAK; /* written 1 clears it: the status stage may pass */
}

static bool reconnect(void)
{
    acknowledge();
    delay(2); /* for the status stage */
    USBCS = DISCONNECTED;
    delay(50);
    USBCS = CONNECTED;
    configured = 0;
    return true;
}

static bool vendor(void)
{
    uint8_t n;

    for (n = 0; n != 8; n++)
        answer[n] = 0;
    switch (REQUEST) {
    case 0xA2:
        return eeprom(1);
    case 0xA9:
        if (!IS_IN) { /* to a part with one address byte this would write the second as data */
            eeprom_probe();
            if (eeprom_width == 1) {
                eeprom_reason = REASON_WIDTH;
                eeprom_address = VALUE;
                return false;
            }
        }
        return eeprom(2);
    case 0xA3:
        return xdata();
    case 0xA8:
        return !IS_IN && reconnect();
    case 0xB0:
        return !IS_IN && set_page();
    case 0xBB:
        i2c_speed(setup[4] & 1);
        return !IS_IN && set_page();
    case 0xBC:
        return eeprom_width && eeprom(eeprom_width);
    }
    if (!IS_IN)
        return false;
    switch (REQUEST) {
    case 0xA5:
        eeprom_probe();
        answer[0] = eeprom_width == 2;
        return reply(answer, 1);
    case 0xB8:
        answer[0] = 'r';
        answer[1] = 'c';
        answer[2] = VERSION;
        answer[3] = MAP;
        answer[4] = CPUCS;
#ifdef EZUSB_MAP_E6
        answer[5] = REVID;
#endif
        return reply(answer, 8);
    case 0xB9:
        eeprom_reason = REASON_NONE;
        answer[2] = (I2CS & I2C_ID) >> 3;
        eeprom_probe();
        answer[0] = eeprom_mask;
        answer[1] = eeprom_width;
#ifdef EZUSB_MAP_E6
        answer[3] = I2CTL & 1;
#endif
        answer[4] = eeprom_page;
        answer[5] = eeprom_reason;
        return reply(answer, 8);
    case 0xBA:
        answer[0] = eeprom_reason;
        answer[1] = eeprom_address >> 8;
        answer[2] = eeprom_address;
        answer[3] = eeprom_page;
        answer[4] = eeprom_cycles >> 8;
        answer[5] = eeprom_cycles;
        return reply(answer, 8);
    }
    return false;
}

/* What a host may ask of any device; SET_ADDRESS is answered by the silicon. */
static bool standard(void)
{
    answer[0] = answer[1] = 0;
    switch (REQUEST) {
    case 0: /* GET_STATUS: bus powered, nothing halted */
        return reply(answer, 2);
    case 1: /* CLEAR_FEATURE */
        return true;
    case 6: /* GET_DESCRIPTOR */
        if (setup[2])
            return false;
        if (setup[3] == 1)
            return reply(device_descriptor, sizeof device_descriptor);
        if (setup[3] == 2)
            return reply(configuration, sizeof configuration);
        return false;
    case 8: /* GET_CONFIGURATION */
        answer[0] = configured;
        return reply(answer, 1);
    case 9: /* SET_CONFIGURATION */
        configured = setup[2];
        return true;
    case 10: /* GET_INTERFACE */
        answer[0] = alternate;
        return reply(answer, 1);
    case 11: /* SET_INTERFACE */
        alternate = setup[2];
        return true;
    }
    return false;
}

void main(void)
{
    uint8_t n;
    bool is_done;

    IE = 0;
    CKCON &= 0xF8; /* XDATA without wait states */
#ifdef EZUSB_MAP_E6
    CPUCS = (CPUCS & ~0x18) | 0x10; /* 48 MHz */
#endif
    eeprom_page = 1;
    eeprom_reason = REASON_NONE;
    eeprom_address = eeprom_cycles = 0;
    configured = 1; /* the host configured the device before it loaded this */
    alternate = 0;
    i2c_speed(false);
    eeprom_probe();
    USBIRQ = SUDAV; /* a request that came before belongs to what ran before */
    USBCS |= RENUM;
    for (;;) {
        if (!setup_waits())
            continue;
        USBIRQ = SUDAV;
        for (n = 0; n != 8; n++)
            setup[n] = SETUPDAT[n];
        switch (REQUEST_TYPE & 0x60) {
        case 0x00:
            is_done = standard();
            break;
        case 0x40:
            is_done = vendor();
            break;
        default:
            is_done = false;
        }
        if (setup_waits())
            continue; /* this request is dead, and its status stage with it */
        if (!is_done)
            EP0CS = STALL;
        EP0CS = is_done ? HSNAK : (STALL | HSNAK);
    }
}
