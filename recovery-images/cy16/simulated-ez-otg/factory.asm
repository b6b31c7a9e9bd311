; The factory firmware of the virtual EZ-OTG enclosure: it gives the BIOS other descriptors and
; answers GET MAX LUN, so that the device enumerates as a mass storage bridge. It carries no disk:
; whoever sends a command to the drive behind it is answered by the simulator, not by this code.
;
; A stream of scan records, as the mask ROM reads it from the EEPROM at start. The BIOS does the
; USB set-up after the scan [BM 1.3]; loaded into a running chip, it shows at the next bus reset.
; Either port may be the one in use, so both SIEs get the same: vectors 90, 91, 92 and 106, 107,
; 108 point at the descriptors, 87 and 103 at a handler that passes every other request on. Idle
; loop, loader request and EEPROM services stay as they are, and the device stays recoverable
; while it runs.
;
; Documented [BM 1.7]: the vectors; a class handler gets the set-up packet's address in R8, its
; endpoint block's in R9, and may change R0 to R12; INT 80 and 96 send {0, address, length,
; callback} at R8 on endpoint R1, and without a callback the BIOS ends the request itself.

vector  equ 0x7a

        record op02 vector=vector
entry:  push r0
        push r9
        mov r9,[vector * 2]     ; where the BIOS placed this
        mov [r9+base1+2],r9     ; for later: the vector may be another's by then
        mov [r9+base2+2],r9
        mov r0,r9
        add r0,device
        mov [90 * 2],r0
        mov [106 * 2],r0
        mov r0,r9
        add r0,configuration
        mov [91 * 2],r0
        mov [107 * 2],r0
        mov r0,r9
        add r0,strings
        mov [92 * 2],r0
        mov [108 * 2],r0
        mov [r9+old1],[87 * 2]
        mov [r9+old2],[103 * 2]
        mov r0,r9
        add r0,class1
        mov [87 * 2],r0
        mov r0,r9
        add r0,class2
        mov [103 * 2],r0
        pop r9
        pop r0
        ret

; Class requests of SIE1: GET MAX LUN (A1 FE) is answered with one byte, 0; the rest goes on.
class1:
base1:  mov r10,0               ; its number is this block's start, see entry
        cmp b[r8],0xa1
        jnz others1
        cmp b[r8+1],0xfe
        jnz others1
        mov r8,r10
        add r8,frame
        mov r0,r10
        add r0,zero
        mov w[r8],0             ; the frame is used up by each transfer
        mov [r8+2],r0
        mov w[r8+4],1
        mov w[r8+6],0
        xor r1,r1               ; endpoint 0
        int 80
        ret
others1: jmp [r10+old1]

; The same for SIE2.
class2:
base2:  mov r10,0
        cmp b[r8],0xa1
        jnz others2
        cmp b[r8+1],0xfe
        jnz others2
        mov r8,r10
        add r8,frame
        mov r0,r10
        add r0,zero
        mov w[r8],0
        mov [r8+2],r0
        mov w[r8+4],1
        mov w[r8+6],0
        xor r1,r1
        int 96
        ret
others2: jmp [r10+old2]

old1:   dw 0
old2:   dw 0
frame:  dw 0, 0, 0, 0
zero:   dw 0

        align 2
device: db 18, 1                ; USB 2.0 9.6.1
        dw 0x0200
        db 0, 0, 0, 8           ; class by interface; 8 bytes on endpoint 0
        dw 0x04b4, 0x7201, 0x0100
        db 1, 2, 3, 1           ; manufacturer, product, serial; one configuration

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
        string_descriptor "recover"
        string_descriptor "EZ-OTG enclosure (virtual)"
        string_descriptor "R0C0FFEE0001"

notice: db "This is the firmware of a virtual enclosure. It belongs to the simulator of recover, a "
        db "program that brings bricked USB enclosures back to life. It was written for that "
        db "simulator, is no vendor's firmware, drives no disk and is of no use in real hardware: "
        db "an EZ-OTG with this in its EEPROM would enumerate and answer no command. "
        db "MIT OR Apache-2.0."
        align 2

; A ruler: every word is its own distance from the ruler's start. It makes the image span many
; pages, as a real one does, and a dump of a half-written EEPROM shows which bytes went where.
ruler:
        dw $ - ruler, $ - ruler + 2, $ - ruler + 4, $ - ruler + 6, $ - ruler + 8, $ - ruler + 10, $ - ruler + 12, $ - ruler + 14
        dw $ - ruler, $ - ruler + 2, $ - ruler + 4, $ - ruler + 6, $ - ruler + 8, $ - ruler + 10, $ - ruler + 12, $ - ruler + 14
        dw $ - ruler, $ - ruler + 2, $ - ruler + 4, $ - ruler + 6, $ - ruler + 8, $ - ruler + 10, $ - ruler + 12, $ - ruler + 14
        dw $ - ruler, $ - ruler + 2, $ - ruler + 4, $ - ruler + 6, $ - ruler + 8, $ - ruler + 10, $ - ruler + 12, $ - ruler + 14
        dw $ - ruler, $ - ruler + 2, $ - ruler + 4, $ - ruler + 6, $ - ruler + 8, $ - ruler + 10, $ - ruler + 12, $ - ruler + 14
        dw $ - ruler, $ - ruler + 2, $ - ruler + 4, $ - ruler + 6, $ - ruler + 8, $ - ruler + 10, $ - ruler + 12, $ - ruler + 14
        dw $ - ruler, $ - ruler + 2, $ - ruler + 4, $ - ruler + 6, $ - ruler + 8, $ - ruler + 10, $ - ruler + 12, $ - ruler + 14
        dw $ - ruler, $ - ruler + 2, $ - ruler + 4, $ - ruler + 6, $ - ruler + 8, $ - ruler + 10, $ - ruler + 12, $ - ruler + 14
        dw $ - ruler, $ - ruler + 2, $ - ruler + 4, $ - ruler + 6, $ - ruler + 8, $ - ruler + 10, $ - ruler + 12, $ - ruler + 14
        dw $ - ruler, $ - ruler + 2, $ - ruler + 4, $ - ruler + 6, $ - ruler + 8, $ - ruler + 10, $ - ruler + 12, $ - ruler + 14
        dw $ - ruler, $ - ruler + 2, $ - ruler + 4, $ - ruler + 6, $ - ruler + 8, $ - ruler + 10, $ - ruler + 12, $ - ruler + 14
        dw $ - ruler, $ - ruler + 2, $ - ruler + 4, $ - ruler + 6, $ - ruler + 8, $ - ruler + 10, $ - ruler + 12, $ - ruler + 14
        dw $ - ruler, $ - ruler + 2, $ - ruler + 4, $ - ruler + 6, $ - ruler + 8, $ - ruler + 10, $ - ruler + 12, $ - ruler + 14
        dw $ - ruler, $ - ruler + 2, $ - ruler + 4, $ - ruler + 6, $ - ruler + 8, $ - ruler + 10, $ - ruler + 12, $ - ruler + 14
        dw $ - ruler, $ - ruler + 2, $ - ruler + 4, $ - ruler + 6, $ - ruler + 8, $ - ruler + 10, $ - ruler + 12, $ - ruler + 14
        dw $ - ruler, $ - ruler + 2, $ - ruler + 4, $ - ruler + 6, $ - ruler + 8, $ - ruler + 10, $ - ruler + 12, $ - ruler + 14
        dw $ - ruler, $ - ruler + 2, $ - ruler + 4, $ - ruler + 6, $ - ruler + 8, $ - ruler + 10, $ - ruler + 12, $ - ruler + 14
        dw $ - ruler, $ - ruler + 2, $ - ruler + 4, $ - ruler + 6, $ - ruler + 8, $ - ruler + 10, $ - ruler + 12, $ - ruler + 14
        dw $ - ruler, $ - ruler + 2, $ - ruler + 4, $ - ruler + 6, $ - ruler + 8, $ - ruler + 10, $ - ruler + 12, $ - ruler + 14
        dw $ - ruler, $ - ruler + 2, $ - ruler + 4, $ - ruler + 6, $ - ruler + 8, $ - ruler + 10, $ - ruler + 12, $ - ruler + 14
        dw $ - ruler, $ - ruler + 2, $ - ruler + 4, $ - ruler + 6, $ - ruler + 8, $ - ruler + 10, $ - ruler + 12, $ - ruler + 14
        dw $ - ruler, $ - ruler + 2, $ - ruler + 4, $ - ruler + 6, $ - ruler + 8, $ - ruler + 10, $ - ruler + 12, $ - ruler + 14
        dw $ - ruler, $ - ruler + 2, $ - ruler + 4, $ - ruler + 6, $ - ruler + 8, $ - ruler + 10, $ - ruler + 12, $ - ruler + 14
        dw $ - ruler, $ - ruler + 2, $ - ruler + 4, $ - ruler + 6, $ - ruler + 8, $ - ruler + 10, $ - ruler + 12, $ - ruler + 14
        dw $ - ruler, $ - ruler + 2, $ - ruler + 4, $ - ruler + 6, $ - ruler + 8, $ - ruler + 10, $ - ruler + 12, $ - ruler + 14
        dw $ - ruler, $ - ruler + 2, $ - ruler + 4, $ - ruler + 6, $ - ruler + 8, $ - ruler + 10, $ - ruler + 12, $ - ruler + 14
        dw $ - ruler, $ - ruler + 2, $ - ruler + 4, $ - ruler + 6, $ - ruler + 8, $ - ruler + 10, $ - ruler + 12, $ - ruler + 14
        dw $ - ruler, $ - ruler + 2, $ - ruler + 4, $ - ruler + 6, $ - ruler + 8, $ - ruler + 10, $ - ruler + 12, $ - ruler + 14
        dw $ - ruler, $ - ruler + 2, $ - ruler + 4, $ - ruler + 6, $ - ruler + 8, $ - ruler + 10, $ - ruler + 12, $ - ruler + 14
        dw $ - ruler, $ - ruler + 2, $ - ruler + 4, $ - ruler + 6, $ - ruler + 8, $ - ruler + 10, $ - ruler + 12, $ - ruler + 14
        dw $ - ruler, $ - ruler + 2, $ - ruler + 4, $ - ruler + 6, $ - ruler + 8, $ - ruler + 10, $ - ruler + 12, $ - ruler + 14
        dw $ - ruler, $ - ruler + 2, $ - ruler + 4, $ - ruler + 6, $ - ruler + 8, $ - ruler + 10, $ - ruler + 12, $ - ruler + 14
        dw $ - ruler, $ - ruler + 2, $ - ruler + 4, $ - ruler + 6, $ - ruler + 8, $ - ruler + 10, $ - ruler + 12, $ - ruler + 14
        dw $ - ruler, $ - ruler + 2, $ - ruler + 4, $ - ruler + 6, $ - ruler + 8, $ - ruler + 10, $ - ruler + 12, $ - ruler + 14
        dw $ - ruler, $ - ruler + 2, $ - ruler + 4, $ - ruler + 6, $ - ruler + 8, $ - ruler + 10, $ - ruler + 12, $ - ruler + 14
        dw $ - ruler, $ - ruler + 2, $ - ruler + 4, $ - ruler + 6, $ - ruler + 8, $ - ruler + 10, $ - ruler + 12, $ - ruler + 14
        end

        record op06 vector=vector
        end

        dw 0                    ; no further record
