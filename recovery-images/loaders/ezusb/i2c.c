/* The I2C master, one byte at a time [FX2 TRM v2.1 ch. 13; EZ-USB TRM v1.9 ch. 4].
 *
 * I2CS and I2DAT are not to be written while STOP is set. A stuck bus ends each wait here after
 * tens of milliseconds; nothing waits for ever. */

#include "loader.h"
#include "registers.h"

/* A byte takes 22 to 110 us and one turn of a wait at least 1 us. */
#define TURNS 0x4000

enum reason i2c_trouble;

void i2c_speed(bool fast)
{
#ifdef EZUSB_MAP_E6
    I2CTL = fast; /* bit 0: 400 kHz */
#else
    fast; /* one speed, about 91 kHz at 24 MHz */
#endif
}

bool i2c_wait(void)
{
    uint16_t turns = TURNS;
    uint8_t state;

    do {
        state = I2CS;
        if (state & I2C_DONE) {
            if (!(state & I2C_BERR))
                return true;
            i2c_trouble = REASON_BUS_ERROR;
            return false;
        }
    } while (--turns);
    i2c_trouble = REASON_NO_DONE;
    return false;
}

bool i2c_put(uint8_t byte)
{
    I2DAT = byte;
    return i2c_wait() && (I2CS & I2C_ACK);
}

/* The loop that decides the loader's speed: a few microseconds between two bytes. */
uint8_t i2c_put_page(uint8_t count)
{
    __idata uint8_t *from = page_buffer;
    uint8_t left = count;
    uint8_t turns;

    do {
        I2DAT = *from++;
        turns = 0;
        while (!(I2CS & I2C_DONE) && --turns)
            ;
        if ((I2CS & (I2C_DONE | I2C_BERR | I2C_ACK)) != (I2C_DONE | I2C_ACK)) {
            if (!i2c_wait() || !(I2CS & I2C_ACK))
                break;
        }
    } while (--left);
    return count - left;
}

bool i2c_start(uint8_t control)
{
    i2c_trouble = REASON_NONE;
    I2CS = I2C_START;
    return i2c_put(control);
}

void i2c_stop(void)
{
    uint16_t turns = TURNS;

    I2CS = I2C_STOP;
    while ((I2CS & I2C_STOP) && --turns)
        ;
}
