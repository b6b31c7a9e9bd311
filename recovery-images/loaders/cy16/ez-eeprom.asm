; ez-eeprom: reads and programs the I2C EEPROM behind an EZ-OTG or EZ-Host from the chip's RAM.
;
; Drives the bus itself, so that it can do what the BIOS service INT 64/65 cannot: sequential
; reads, whole-page writes, either wiring, either address width, and an answer that says which
; byte was not acknowledged. Open drain through the direction register: no line is ever driven
; high.
;
; Started     scan record op 02 with vector 0x7A places it (its code, then as many buffer bytes as
;             the host wants), op 06 0x7A runs it. It finds itself through its vector: the word at
;             `find`+2 is twice the vector and is patched when another one is used. It preserves
;             all registers but the flags, puts its two GPIO pins back as found, returns with RET.
;             Stack: 40 bytes.
; Host's part write the parameters (+04 to +19) and for PROGRAM the buffer with op 00, STATUS 0
;             with them; run; read STATUS to GOT. RUNNING or 0 in STATUS means it has not ended.
;
; offset  name        meaning
;  +02    STATUS      0 before; 0x0001 running; 0xD0CE done; 0xEE00 + kind failed
;  +04    COMMAND     0 wait until the part acknowledges, 1 read, 2 program and compare
;  +06    CONTROL     control byte for address 0, write: 0xA0
;  +08    ADDRESS     first address in the part
;  +0A    COUNT       bytes; the buffer must hold them; 0 makes any command a wait
;  +0C    WIDTH       address bytes, 1 or 2. With 1, address bits 8 to 10 go into the control byte
;  +0E    PAGE        bytes of a page, a power of two; a page write never crosses one
;  +10    SDA         bit mask in C024/C026/C028: 0x4000 GPIO30 (INT 64), 0x8000 GPIO31 (INT 65)
;  +12    SCL         bit mask:                   0x8000 GPIO31 (INT 64), 0x4000 GPIO30 (INT 65)
;  +14    TRIES       control bytes sent before the part is given up, 1 or more
;  +16    LOW         passes of the delay while SCL is low, 1 or more
;  +18    HIGH        passes of the delay while SCL is high, 1 or more
;  +1A    SUM         result: 16-bit sum of the bytes that were read (read back, when programming)
;  +1C    CYCLES      result: pages written
;  +1E    DIFFERING   result: bytes that read back different
;  +20    AT          result: address of the failure; the first that differs
;  +22    GOT         result: the byte read there
;
; kinds   1 bus: SCL is held low, or SDA is and nine clocks did not free it
;         2 control byte not acknowledged within TRIES (no part, or busy from before)
;         3 address byte not acknowledged
;         4 data byte not acknowledged, AT says which; a partial page may have been written
;         5 still busy TRIES control bytes after the page at AT was written
;         6 bytes read back different
;         7 COMMAND is none of 0, 1, 2
;
; Bus clock. At 48 MHz one pass of `dec` and a taken `jnz` takes 148 ns [TA, documented]. Every other
; instruction takes at least one clock of 20.8 ns for each of its words (inferred: internal memory
; has no waits [BM], and a word must be fetched); how much more is not documented. So
;         SCL is low  at least LOW  * 148 ns + 7 * 20.8 ns   (LOW - 1 taken passes and the bit count)
;         SCL is high at least (HIGH - 1) * 148 ns + 8 * 20.8 ns
;         START and STOP edges keep (LOW - 1) * 148 ns or more
; Limits of the 24LC128 data sheet (Microchip DS21191), which other 24xx parts share:
;         400 kHz  low 1300 ns, high  600 ns, repeated START  600 ns    LOW  8, HIGH  4
;         100 kHz  low 4700 ns, high 4000 ns, repeated START 4700 ns    LOW 33, HIGH 29
; SCL is waited for after its release, so slow edges on weak pull-ups stretch the clock and do not
; shorten its high time.
;
; Documented: GPIO registers C024 output, C026 input, C028 direction, 1 = drive [INC]; wiring of
; INT 64 and INT 65 [BM 1.7.10]; op 02 and op 06 [BM 1.7.5.12]. Inferred: that no BIOS interrupt
; handler changes GPIO30 and GPIO31 meanwhile; that the EZ-OTG, whose manual is the EZ-Host's,
; executes op 02 and op 06 as that chip does; `jmp` through a register, which the
; word format allows and no listing shows (`call` through one is seen). Not run on silicon.

        relocatable

vector  equ 0x7a
input   equ 0xc026
drive   equ 0xc028              ; the direction register
latch   equ 0xc024

entry:  jmp start
status: dw 0
command: dw 0
control: dw 0x00a0
address: dw 0
count:  dw 0
width:  dw 2
page:   dw 32
sda:    dw 0x8000
scl:    dw 0x4000
tries:  dw 400
low:    dw 33
high:   dw 29
sum:    dw 0
cycles: dw 0
differing: dw 0
at:     dw 0
got:    dw 0

; scratch
stack:  dw 0                    ; r15 to unwind to from anywhere
left:   dw 0                    ; bytes still to do
chunk:  dw 0                    ; bytes of the page being written
sending: dw 0                   ; of those, still to send
polls:  dw 0                    ; control bytes that may still be sent
opened: dw 0                    ; the control byte with its block bits

; r0 scratch and delay   r1 byte on the wire   r2 ~SDA   r3 ~SCL   r4 SDA   r5 SCL
; r6 LOW   r7 HIGH   r8 buffer   r9 start of this code   r10 direction register
; r11 run address of `send`   r12 address in the part   r13 input register   r14 bits to go
start:  push r0
        push r1
        push r2
        push r3
        push r4
        push r5
        push r6
        push r7
        push r8
        push r9
        push r10
        push r11
        push r12
        push r13
        push r14
        push [drive]
        push [latch]
find:   mov r9,[vector * 2]
        mov [r9+stack],r15
        mov w[r9+status],1
        xor r0,r0
        mov [r9+sum],r0
        mov [r9+cycles],r0
        mov [r9+differing],r0
        mov [r9+got],r0
        mov [r9+at],[r9+address]
        mov r4,[r9+sda]
        mov r5,[r9+scl]
        mov r2,r4
        xor r2,0xffff
        mov r3,r5
        xor r3,0xffff
        mov r6,[r9+low]
        mov r7,[r9+high]
        mov r10,drive
        mov r13,input
        mov r11,r9
        add r11,send
        and [r10],r2            ; release first, then clear the latches: from here on the
        and [r10],r3            ; direction bit alone pulls a line low
        and [latch],r2
        and [latch],r3

; The lines must be high. A part that was interrupted in a read may hold SDA low; up to nine
; clocks let it finish its byte [I2C UM10204 3.1.16].
        mov r0,r6
@@:     dec r0
        jnz @b
        test [r13],r5
        jz stuck
        mov r14,9
freeing: test [r13],r4
        jnz free
        or [r10],r5
        mov r0,r6
@@:     dec r0
        jnz @b
        and [r10],r3
        mov r0,r6
@@:     dec r0
        jnz @b
        dec r14
        jnz freeing
        test [r13],r4
        jnz free
stuck:  mov r1,1
        jmp failed
free:   mov r12,[r9+address]
        mov r8,r9
        add r8,buffer
        mov [r9+left],[r9+count]
        mov r1,7
        mov r0,[r9+command]
        cmp r0,2
        ja failed
        and r0,r0
        jz wait
        test w[r9+left],0xffff
        jz wait
        cmp r0,1
        mov r0,r9
        jz to_read
        add r0,program
        jmp r0
to_read: add r0,read
        jmp r0

; COMMAND 0
wait:   mov r0,r9
        add r0,open
        call r0
        jz ready
        mov r1,2

; The end that is not the wanted one: r1 = kind. From any depth of calls.
failed: mov r15,[r9+stack]
        or r1,0xee00
        jmp ending
ready:  mov r1,0xd0ce
ending: mov r0,r9
        add r0,stop
        call r0
        mov r0,r4               ; both lines are released and their latches low: put back what
        or r0,r5                ; was found
        pop r8
        and r8,r0
        or [latch],r8
        pop r8
        and r8,r0
        or [r10],r8
        mov [r9+status],r1
        pop r14
        pop r13
        pop r12
        pop r11
        pop r10
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

; Sends the byte in r1 and looks for its acknowledge: Z set when there was one.
send:   shl r1,8
        or r1,0x80              ; ninth bit: SDA released for the part to answer
; Sends the upper nine bits of r1 and receives nine into its lower nine, the acknowledge last.
; SCL is low before and after. The two delays are what the bus clock rests on.
exchange: mov r14,9
bit:    shl r1,1
        jc one
        or [r10],r4
        jmp settle
one:    and [r10],r2
settle: mov r0,r6
@@:     dec r0
        jnz @b
        and [r10],r3            ; SCL goes high
        test [r13],r5
        jz slow
risen:  mov r0,r7
@@:     dec r0
        jnz @b
        test [r13],r4
        jz zero
        inc r1
zero:   or [r10],r5             ; SCL goes low
        dec r14
        jnz bit
        test r1,1
        ret
slow:   mov r0,4096             ; about 1 ms for a line to rise, or a part to let go of it
@@:     test [r13],r5
        jnz risen
        dec r0
        jnz @b
        mov r1,1
        mov r0,r9
        add r0,failed
        jmp r0

; START, or a repeated one: SDA falls while SCL is high. SCL is low afterwards.
begin:  and [r10],r2
        mov r0,r6
@@:     dec r0
        jnz @b
        and [r10],r3
        mov r0,4096
@@:     test [r13],r5
        jnz @f
        dec r0
        jnz @b                  ; held low: the next `exchange` finds out
@@:     mov r0,r6
@@:     dec r0
        jnz @b
        or [r10],r4
        mov r0,r6
@@:     dec r0
        jnz @b
        or [r10],r5
        ret

; STOP: SDA rises while SCL is high; a write cycle begins here.
stop:   or [r10],r4
        mov r0,r6
@@:     dec r0
        jnz @b
        and [r10],r3
        mov r0,r6
@@:     dec r0
        jnz @b
        and [r10],r2
        mov r0,r6
@@:     dec r0
        jnz @b
        ret

; START and control byte for writing at r12, again and again until the part acknowledges: Z set.
; It does not while it is busy with a write cycle. Given up after TRIES: Z clear.
open:   mov r1,[r9+control]
        mov r0,[r9+width]
        cmp r0,2
        jz @f
        mov r0,r12              ; (address / 256) * 2, block bits of the parts up to 2 KB
        shr r0,7
        and r0,0x0e
        or r1,r0
@@:     mov [r9+opened],r1
        mov [r9+polls],[r9+tries]
poll:   mov r0,r9
        add r0,begin
        call r0
        mov r1,[r9+opened]
        call r11
        jz @f
        mov r0,r9
        add r0,stop
        call r0
        dec w[r9+polls]
        jnz poll
        or r6,r6                ; LOW is not 0: clears Z
@@:     ret

; Sends the address in r12: Z set when all of it was acknowledged.
place:  mov r0,[r9+width]
        cmp r0,2
        jnz @f
        mov r1,r12
        shr r1,8
        call r11
        jnz placed
@@:     mov r1,r12
        call r11
placed: ret

; COMMAND 2: the part of the buffer that lies in one page, then the next.
program: mov [r9+at],r12
        mov r1,[r9+page]
        mov r0,r1
        dec r1
        and r1,r12
        sub r0,r1               ; bytes up to the page's end
        cmp r0,[r9+left]
        jbe @f
        mov r0,[r9+left]
@@:     mov [r9+chunk],r0
        mov [r9+sending],r0
        mov r0,r9
        add r0,open
        call r0
        mov r1,2
        jnz to_failed
        mov r0,r9
        add r0,place
        call r0
        mov r1,3
        jnz to_failed
next_byte: mov r1,b[r8++]
        call r11
        jnz refused
        dec w[r9+sending]
        jnz next_byte
        mov r0,r9
        add r0,stop
        call r0
        inc w[r9+cycles]
        mov r0,r9               ; r12 still in this page, so the block bits are this part's
        add r0,open
        call r0
        mov r1,5
        jnz to_failed
        mov r0,r9
        add r0,stop
        call r0
        add r12,[r9+chunk]
        sub [r9+left],[r9+chunk]
        jnz program
        mov r12,[r9+address]    ; all written: compare it
        mov [r9+at],r12
        mov r8,r9
        add r8,buffer
        mov [r9+left],[r9+count]
        jmp read
refused: mov r0,[r9+chunk]      ; AT = r12 + bytes that were sent before this one
        sub r0,[r9+sending]
        add r0,r12
        mov [r9+at],r0
        mov r1,4
to_failed: mov r0,r9
        add r0,failed
        jmp r0

; COMMAND 1, and the comparison of COMMAND 2: one address, then bytes until none is left.
read:   mov r0,r9
        add r0,open
        call r0
        mov r1,2
        jnz unread
        mov r0,r9
        add r0,place
        call r0
        mov r1,3
        jnz unread
        mov r0,r9               ; a repeated START, no STOP: a part with one address byte that
        add r0,begin            ; is asked with two takes the second as data, and only a STOP
        call r0                 ; would make it keep that
        mov r1,[r9+opened]
        or r1,1
        call r11
        mov r1,2
        jnz unread
receive: mov r1,0xff00          ; eight released bits, then our acknowledge
        cmp w[r9+left],1
        jnz @f
        mov r1,0xff80           ; none after the last: the part lets go of SDA
@@:     mov r0,r11
        add r0,exchange - send
        call r0
        shr r1,1
        and r1,0xff
        add [r9+sum],r1
        cmp w[r9+command],2
        jz compare
        mov b[r8++],r1
        jmp received
unread: mov r0,r9
        add r0,failed
        jmp r0
compare: cmp r1,b[r8++]
        jz received
        test w[r9+differing],0xffff
        jnz @f
        mov [r9+at],r12
        mov [r9+got],r1
@@:     inc w[r9+differing]
received: inc r12
        dec w[r9+left]
        jnz receive
        mov r1,6
        test w[r9+differing],0xffff
        jnz unread
        mov r0,r9
        add r0,ready
        jmp r0

buffer:                         ; as many bytes as the host sent behind the code
