/* disk.c: the commands of mass storage; firmware.c: endpoint 0. */
#ifndef DISK_H
#define DISK_H

void disk_reset(void); /* forgets the command that is under way, and arms the endpoints */
void disk(void);       /* carries out a command, if the host has sent one */
void control(void);    /* answers endpoint 0, if the host asks; called while the disk waits */

#endif
