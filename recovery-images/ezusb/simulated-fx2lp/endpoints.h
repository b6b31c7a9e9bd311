/* The bulk endpoints of the simulated enclosures, beside what the loader's registers.h has.
 *
 * EZUSB_MAP_E6: FIFOs 2 and 8 [FX2 TRM 15.6, 15.12]. EZUSB_MAP_7F: endpoint 2 both ways [EZ-USB TRM
 * v1.9, 6]. What differs between them has one name here. */
#ifndef ENDPOINTS_H
#define ENDPOINTS_H

#include "../../loaders/ezusb/registers.h"

#ifdef EZUSB_MAP_E6
REGISTER(0xE604, FIFORESET);
REGISTER(0xE612, EP2CFG);
REGISTER(0xE615, EP8CFG);
REGISTER(0xE690, EP2BCH);
REGISTER(0xE691, EP2BCL);
REGISTER(0xE69C, EP8BCH);
REGISTER(0xE69D, EP8BCL);
REGISTER(0xE6A3, EP2CS);
REGISTER(0xE6A6, EP8CS);
REGISTERS(0xF000, EP2FIFOBUF, 512);
REGISTERS(0xFC00, EP8FIFOBUF, 512);

#define ENDPOINT_IN 0x88
#define BULK_OUT EP2FIFOBUF
#define BULK_IN EP8FIFOBUF
#define OUT_WAITS (!(EP2CS & 0x04)) /* not EMPTY */
#define OUT_COUNT_OF_PACKET ((uint16_t)EP2BCH << 8 | EP2BCL)
#define OUT_RELEASE() (EP2BCL = 0x80)
#define IN_IS_FREE (!(EP8CS & 0x08)) /* not FULL */
#define IN_SEND(count) (EP8BCH = (count) >> 8, EP8BCL = (uint8_t)(count))
#define OUT_SECOND_BUFFER() (EP2BCL = 0x80)
#define IS_HIGH_SPEED (USBCS & 0x80)
#endif

#ifdef EZUSB_MAP_7F
REGISTER(0x7FB8, IN2CS);
REGISTER(0x7FB9, IN2BC);
REGISTER(0x7FC8, OUT2CS);
REGISTER(0x7FC9, OUT2BC);
REGISTER(0x7FDE, IN07VAL);
REGISTER(0x7FDF, OUT07VAL);
REGISTERS(0x7DC0, OUT2BUF, 64);
REGISTERS(0x7E00, IN2BUF, 64);

#define ENDPOINT_IN 0x82
#define BULK_OUT OUT2BUF
#define BULK_IN IN2BUF
#define OUT_WAITS (!(OUT2CS & 0x02)) /* not BUSY, once armed */
#define OUT_COUNT_OF_PACKET OUT2BC
#define OUT_RELEASE() (OUT2BC = 0)
#define IN_IS_FREE (!(IN2CS & 0x02)) /* not BUSY */
#define IN_SEND(count) (IN2BC = (uint8_t)(count))
#define IS_HIGH_SPEED 0
#endif

#endif
