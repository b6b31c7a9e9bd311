; The factory firmware of the virtual SL11R enclosure: it gives the BIOS other descriptors, so that
; the device enumerates as a mass storage bridge. It carries no disk: whoever sends a command to
; the drive behind it is answered by the simulator, not by this code.
;
; A stream of scan records, as the mask ROM reads it from the EEPROM at start. The BIOS does the
; USB set-up after the scan, so this only points vectors 90, 91 and 92 at its descriptors and
; returns. It touches nothing else: idle loop, loader request and EEPROM service stay as they are,
; and the device stays recoverable while it runs. GET MAX LUN is left to the BIOS, which stalls
; class requests; that means one LUN [USB MSC BOT 1.0, 3.2].
;
; Vectors 90 to 92 hold descriptor addresses on EZ-OTG and EZ-Host [BM 1.7, documented]; that the
; SL11R's BIOS has them too is inferred. They must be even.

vector  equ 0x7a

        record op02 vector=vector
entry:  push r0
        push r9
        mov r9,[vector * 2]     ; where the BIOS placed this
        mov r0,r9
        add r0,device
        mov [90 * 2],r0
        mov r0,r9
        add r0,configuration
        mov [91 * 2],r0
        mov r0,r9
        add r0,strings
        mov [92 * 2],r0
        pop r9
        pop r0
        ret

        align 2
device: db 18, 1                ; USB 2.0 9.6.1
        dw 0x0110               ; USB 1.1
        db 0, 0, 0, 8           ; class by interface; 8 bytes on endpoint 0
        dw 0x04ce, 0x0002, 0x0260
        db 1, 2, 0, 1           ; manufacturer, product, no serial; one configuration

        align 2
configuration: db 9, 2
        dw configuration_end - configuration
        db 1, 1, 0, 0xc0, 0     ; one interface, self-powered
        db 9, 4, 0, 0, 2, 0x08, 0x06, 0x50, 0
        db 7, 5, 0x01, 2        ; bulk out 1
        dw 64
        db 0
        db 7, 5, 0x82, 2        ; bulk in 2
        dw 64
        db 0
configuration_end:

        align 2
strings: db 4, 3
        dw 0x0409
        string_descriptor "ScanLogic"
        string_descriptor "USBIDE (virtual)"

notice: db "This is the firmware of a virtual enclosure. It belongs to the simulator of recover, a "
        db "program that brings bricked USB enclosures back to life. It was written for that "
        db "simulator, is no vendor's firmware, drives no disk and is of no use in real hardware: "
        db "an SL11R with this in its EEPROM would enumerate and answer no command. "
        db "MIT OR Apache-2.0."
        align 2
        end

        record op06 vector=vector
        end

        dw 0                    ; no further record
