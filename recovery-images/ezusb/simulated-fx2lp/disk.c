/* A disk of 64 sectors that can be read: SCSI over the bulk-only transport [BOT 1.0; SPC; SBC].
 *
 * Every byte of a sector is its number. Data that the host wants beyond what there is ends in a short
 * packet, data it sends for a refused command is taken and forgotten, so that no endpoint is ever
 * stalled. */

#include "disk.h"
#include "endpoints.h"

#define SECTORS 64
#define CBW_BYTES 31

static const __code uint8_t inquiry[36] = {
    0x00, 0x00, 0x04, 0x02, 31, 0, 0, 0,
    'r', 'e', 'c', 'o', 'v', 'e', 'r', ' ',
    'D', 'I', 'S', 'K', ' ', '(', 'v', 'i', 'r', 't', 'u', 'a', 'l', ')', ' ', ' ',
    '1', '.', '0', '0',
};
/* Fixed format; key and code are put in. */
static const __code uint8_t no_sense[18] = {0x70, 0, 0, 0, 0, 0, 0, 10};
static const __code uint8_t capacity[8] = {0, 0, 0, SECTORS - 1, 0, 0, 2, 0};
/* MODE SENSE(6): no pages; the medium is write protected. */
static const __code uint8_t mode[4] = {3, 0, 0x80, 0};

static __idata uint8_t head[8]; /* of the command: signature and tag, which the status repeats */
static __idata uint8_t command[10];
static uint16_t wanted; /* bytes the host still wants, or still has to send */
static uint8_t is_in;
static uint8_t has_ended; /* the data, by a short packet */
static uint8_t status;
static uint8_t code;
static uint8_t was_reset;

void disk_reset(void)
{
    was_reset = 1;
#ifdef EZUSB_MAP_E6
    EP2CFG = 0xA2; /* bulk out, 512 bytes, two buffers */
    EP8CFG = 0xE0; /* bulk in */
    FIFORESET = 0x80;
    FIFORESET = 2;
    FIFORESET = 8;
    FIFORESET = 0;
    OUT_SECOND_BUFFER();
#else
    IN07VAL |= 0x04;
    OUT07VAL |= 0x04;
#endif
    OUT_RELEASE();
}

/* False when the command was given up meanwhile. */
static uint8_t in_is_free(void)
{
    while (!IN_IS_FREE) {
        control();
        if (was_reset)
            return 0;
    }
    return 1;
}

/* An illegal request, and in what. */
static void fail(uint8_t sense_code)
{
    status = 1;
    code = sense_code;
}

static uint16_t most(void)
{
    return IS_HIGH_SPEED ? 512 : 64;
}

/* One packet of at most 36 bytes, or less where the host wants less. */
static void give(const __code uint8_t *from, uint8_t count)
{
    uint8_t n;

    if (!is_in)
        return;
    if (wanted < count)
        count = wanted;
    if (!in_is_free())
        return;
    for (n = 0; n != count; n++)
        BULK_IN[n] = from[n];
    if (from == no_sense && count > 12) {
        if (code)
            BULK_IN[2] = code == 0x27 ? 0x07 : 0x05; /* data protect, illegal request */
        BULK_IN[12] = code;
        code = 0;
    }
    IN_SEND((uint16_t)count);
    wanted -= count;
    has_ended = 1; /* it is a short packet */
}

static void give_sector(uint8_t sector)
{
    uint16_t at;
    uint16_t n;
    uint16_t size = most();

    for (at = 512; at; at -= size) {
        if (!in_is_free())
            return;
        for (n = size; n--;)
            BULK_IN[n] = sector;
        IN_SEND(size);
    }
    wanted -= 512;
}

static void read(void)
{
    uint8_t sector = command[5];
    uint8_t count = command[8];

    if ((command[2] | command[3] | command[4] | command[7]) || sector > SECTORS
        || count > SECTORS - sector) {
        fail(0x21); /* logical block address out of range */
        return;
    }
    if (!is_in || wanted >> 9 < count) {
        status = 2; /* the host wants less than it asked for */
        return;
    }
    for (; count && !was_reset; count--)
        give_sector(sector++);
}

static void carry_out(void)
{
    switch (command[0]) {
    case 0x00: /* TEST UNIT READY */
    case 0x1B: /* START STOP UNIT */
        return;
    case 0x03: /* REQUEST SENSE */
        give(no_sense, command[4] < sizeof no_sense ? command[4] : sizeof no_sense);
        return;
    case 0x12: /* INQUIRY */
        if (command[1] & 1) {
            fail(0x24); /* no pages of vital product data */
            return;
        }
        give(inquiry, command[4] < sizeof inquiry && !command[3] ? command[4] : sizeof inquiry);
        return;
    case 0x1A: /* MODE SENSE(6) */
        give(mode, sizeof mode);
        return;
    case 0x25: /* READ CAPACITY(10) */
        give(capacity, sizeof capacity);
        return;
    case 0x28: /* READ(10) */
        read();
        return;
    case 0x2A: /* WRITE(10) */
        fail(0x27); /* write protected */
        return;
    }
    fail(0x20); /* not known */
}

/* What the host still wants ends here; what it still sends is forgotten. */
static void end_data(void)
{
    uint16_t left = wanted;
    uint16_t count;

    if (was_reset)
        return; /* nobody wants anything: an empty packet now would answer the next command */
    if (is_in) {
        if (wanted && !has_ended && in_is_free())
            IN_SEND((uint16_t)0);
        return;
    }
    while (left && !was_reset) {
        control();
        if (!OUT_WAITS)
            continue;
        count = OUT_COUNT_OF_PACKET;
        OUT_RELEASE();
        left -= left < count ? left : count;
    }
}

static void send_status(void)
{
    uint8_t n;

    if (was_reset || !in_is_free())
        return;
    for (n = 0; n != sizeof head; n++)
        BULK_IN[n] = head[n];
    BULK_IN[3] = 'S';
    BULK_IN[8] = wanted; /* the residue */
    BULK_IN[9] = wanted >> 8;
    BULK_IN[10] = BULK_IN[11] = 0;
    BULK_IN[12] = status;
    IN_SEND((uint16_t)13);
}

void disk(void)
{
    uint8_t n;
    uint8_t is_large;

    if (!OUT_WAITS)
        return;
    was_reset = 0;
    for (n = 0; n != sizeof head; n++)
        head[n] = BULK_OUT[n];
    if (OUT_COUNT_OF_PACKET != CBW_BYTES || head[0] != 'U' || head[3] != 'C') {
        OUT_RELEASE(); /* no command: the host waits in vain, and resets us */
        return;
    }
    wanted = (uint16_t)BULK_OUT[9] << 8 | BULK_OUT[8];
    is_large = BULK_OUT[10] | BULK_OUT[11];
    is_in = BULK_OUT[12] >> 7;
    for (n = 0; n != sizeof command; n++)
        command[n] = BULK_OUT[15 + n];
    OUT_RELEASE();
    status = has_ended = 0;
    if (is_large) { /* more than the whole disk: a phase error, after which the host resets */
        wanted = 0;
        status = 2;
    } else {
        carry_out();
        end_data();
    }
    send_status();
}
