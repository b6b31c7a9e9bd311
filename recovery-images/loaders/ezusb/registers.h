/* The registers the loader uses, for the two register maps of the EZ-USB family.
 *
 * EZUSB_MAP_E6: FX1, FX2, FX2LP [FX2 TRM v2.1, register summary].
 * EZUSB_MAP_7F: AN21xx, FX [EZ-USB TRM v1.9, register summary].
 *
 * Where a bit has the same meaning in both it has one name here; the code names no address. */
#ifndef REGISTERS_H
#define REGISTERS_H

#include <stdint.h>

#define REGISTER(address, name) static volatile __xdata __at(address) uint8_t name
#define REGISTERS(address, name, count) static volatile __xdata __at(address) uint8_t name[count]

#ifdef EZUSB_MAP_E6
REGISTER(0xE600, CPUCS);
REGISTER(0xE60A, REVID);
REGISTER(0xE65D, USBIRQ);
REGISTER(0xE678, I2CS);
REGISTER(0xE679, I2DAT);
REGISTER(0xE67A, I2CTL);
REGISTER(0xE680, USBCS);
REGISTER(0xE68A, EP0BCH);
REGISTER(0xE68B, EP0BCL);
REGISTER(0xE6A0, EP0CS);
REGISTERS(0xE6B8, SETUPDAT, 8);
REGISTERS(0xE740, EP0BUF, 64);

#define OUT_BUFFER EP0BUF
#define OUT_COUNT EP0BCL
#define IN_BUFFER EP0BUF
#define OUT_BUSY 0x02
#define IN_BUSY 0x02
#define STALL 0x01
#define HSNAK 0x80
#define DISCONNECTED 0x0A /* DISCON, RENUM */
#define CONNECTED 0x02    /* RENUM */
#define MAP 0xE6
#endif

#ifdef EZUSB_MAP_7F
REGISTERS(0x7EC0, OUT0BUF, 64);
REGISTERS(0x7F00, IN0BUF, 64);
REGISTER(0x7F92, CPUCS);
REGISTER(0x7FA5, I2CS);
REGISTER(0x7FA6, I2DAT);
REGISTER(0x7FAB, USBIRQ);
REGISTER(0x7FB4, EP0CS);
REGISTER(0x7FB5, IN0BC);
REGISTER(0x7FC5, OUT0BC);
REGISTER(0x7FD6, USBCS);
REGISTERS(0x7FE8, SETUPDAT, 8);

#define OUT_BUFFER OUT0BUF
#define OUT_COUNT OUT0BC
#define IN_BUFFER IN0BUF
#define OUT_BUSY 0x08
#define IN_BUSY 0x04
#define STALL 0x01
#define HSNAK 0x02
#define DISCONNECTED 0x0A /* DISCON, RENUM; DISCOE clear lets the pull-up float */
#define CONNECTED 0x06    /* DISCOE, RENUM */
#define MAP 0x7F
#endif

#define RENUM 0x02 /* USBCS: the 8051 answers requests, not the core */
#define SUDAV 0x01 /* USBIRQ: a SETUP packet is in SETUPDAT; written 1 clears */

/* I2CS, the same in both maps. */
#define I2C_START 0x80
#define I2C_STOP 0x40
#define I2C_LASTRD 0x20
#define I2C_ID 0x18 /* what the boot ROM found: 08 one address byte, 10 two */
#define I2C_BERR 0x04
#define I2C_ACK 0x02
#define I2C_DONE 0x01

__sfr __at(0x8E) CKCON;
__sfr __at(0xA8) IE;

#endif
