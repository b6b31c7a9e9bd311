/* The data stage of control transfers, in packets of 64 bytes.
 *
 * Every wait for the host ends when the host begins another request: the old one is then dead. */

#include "loader.h"
#include "registers.h"

static uint16_t out_left; /* bytes that have not come yet */
static uint8_t out_at;
static uint8_t out_end;

bool setup_waits(void)
{
    return USBIRQ & SUDAV;
}

static void out_arm(void)
{
    OUT_COUNT = 0; /* any value lets one packet in */
}

void out_begin(uint16_t length)
{
    out_left = length;
    out_at = out_end = 0;
    if (length)
        out_arm();
}

static bool out_packet(void)
{
    while (EP0CS & OUT_BUSY) {
        if (setup_waits())
            return false;
    }
    out_at = 0;
    out_end = OUT_COUNT;
    if (setup_waits() || out_end == 0 || out_end > out_left)
        return false;
    out_left -= out_end;
    return true;
}

bool out_gather(uint8_t count)
{
    __idata uint8_t *to = page_buffer;

    while (count--) {
        if (out_at == out_end && !out_packet())
            return false;
        *to++ = OUT_BUFFER[out_at++];
        /* The next packet travels while this page is written. */
        if (out_at == out_end && out_left)
            out_arm();
    }
    return true;
}

bool in_free(void)
{
    while (EP0CS & IN_BUSY) {
        if (setup_waits())
            return false;
    }
    return !setup_waits();
}

void in_send(uint8_t count)
{
#ifdef EZUSB_MAP_E6
    EP0BCH = 0;
    EP0BCL = count;
#else
    IN0BC = count;
#endif
}
