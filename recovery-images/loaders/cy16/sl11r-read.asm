; sl11r-read: reads the I2C EEPROM behind an SL11R through the chip's own BIOS.
;
; Uses the service INT 64 and nothing else: no register, no other service and no address of the
; SL11R, of which nothing is published.
;
; Started     scan record op 02 with vector 0x52 places it (its code, then as many buffer bytes as
;             the host wants), op 06 0x52 runs it. That pair on that vector is what has been run on
;             real SL11Rs [EZ, captured]. 0x52 is the BIOS's STALL on the EZ-OTG and perhaps here:
;             the host reads the vector's word before and puts it back after. The loader finds
;             itself through the vector: the word at `find`+2 is twice the vector and is patched
;             when another one is used. It preserves all registers but the flags and returns with
;             RET. Stack: 22 bytes and what INT 64 takes.
; Host's part write the parameters (+02 to +07) with op 00, STATUS 0 with them; run; read STATUS to
;             SUM and the buffer. On later runs only the parameters are written again.
;
; offset  name     meaning
;  +02    STATUS   0 before; 0x0001 running; 0xD0CE done
;  +04    ADDR     address of the next byte; counts up while reading
;  +06    COUNT    bytes; the buffer must hold them
;  +08    SUM      result: 16-bit sum of the bytes
;
; There is no error: INT 64's read reports none, and an absent part reads as FF.
;
; Documented for EZ-OTG and EZ-Host [BM 1.7.10]: INT 64 with R0 = 0 reads the byte at address R1
; into R0. Inferred for the SL11R, from its EEPROM being written through the same number [EZ]: the
; same convention, and that R3, R6, R8 and R9 survive it. The upper half of R0 is not promised and
; is dropped. Not run on silicon.

        relocatable

vector  equ 0x52

entry:  jmp start
status: dw 0
addr:   dw 0
count:  dw 0
sum:    dw 0

start:  push r0                 ; everything INT 64 might change too: the caller is the scan decoder
        push r1
        push r2
        push r3
        push r4
        push r5
        push r6
        push r7
        push r8
        push r9
find:   mov r9,[vector * 2]
        mov w[r9+status],1
        mov r8,r9
        add r8,buffer
        mov r6,[r9+count]
        xor r3,r3
        and r6,r6
        jz done
next:   mov r1,[r9+addr]        ; reloaded each time: INT 64 counts R1 up or not, as it likes
        xor r0,r0
        int 64
        and r0,0xff
        mov b[r8++],r0
        add r3,r0
        inc w[r9+addr]
        dec r6
        jnz next
done:   mov [r9+sum],r3
        mov w[r9+status],0xd0ce
        pop r9
        pop r8
        pop r7
        pop r6
        pop r5
        pop r4
        pop r3
        pop r2
        pop r1
        pop r0
        ret

buffer:                         ; as many bytes as the host sent behind the code
