; ez-reenumerate: takes an EZ-OTG or EZ-Host off the USB for a while and brings it back, so that the
; host asks for its descriptors again.
;
; Deferred: what is called only puts a task at the head of the BIOS's idle chain and returns, so
; that the request which started it can end. The task lets WAIT passes of the idle loop go by, then
; detaches, waits MS milliseconds, has the BIOS set the ports up again and takes itself out of the
; chain. Not for the SL11R, which has none of the registers and services used here.
;
; Started     scan record op 02 with vector 0x7A places it, op 06 0x7A runs it. It finds itself
;             through its vector: the words at `find1`+2 to `find4`+2 are twice the vector and are
;             patched when another one is used. The called part preserves all registers but the
;             flags; the task may change R0 to R14, as any idle task [BM 1.1.2].
;
; offset  name     meaning
;  +02    STATUS   0 before; 1 in the chain; 0xD0CE done (readable once the device is back)
;  +04    OLD      the chain's former head
;  +06    WAIT     passes of the idle loop before it detaches, 1 or more
;  +08    SIES     bit 0 = SIE1, bit 1 = SIE2
;  +0A    MS       milliseconds off the bus, 1 or more
;
; Documented: INT 72 puts a task first in the idle chain, vector 70 at 008C holds the head, INT 113
; sets up a SIE as a device [BM 1.7]. Captured: the vendor's sample writes 0380 to C0AA, waits and
; calls INT 113 [TA]; it does so on SIE2 and not from an idle task. Inferred: the same on SIE1 and
; from an idle task; that 2000 passes are enough for the request to end. Not run on silicon.

        relocatable

vector  equ 0x7a
head    equ 70 * 2              ; the idle chain's vector
millisecond equ 6751            ; passes of dec and jnz at 48 MHz [TA]

entry:  jmp hook
status: dw 0
old:    dw 0
wait:   dw 2000
sies:   dw 3
ms:     dw 1000

hook:   push r0
        push r9
find1:  mov r9,[vector * 2]
        mov r0,r9
        add r0,task
        int 72                  ; R0: new head in, old head out
        mov [r9+old],r0
        mov w[r9+status],1
        pop r9
        pop r0
        ret

task:
find2:  mov r9,[vector * 2]
        dec w[r9+wait]
        jnz others
        mov [head],[r9+old]     ; nobody else may have gone before us meanwhile
        mov r6,[r9+sies]
        test r6,1
        jz @f
        mov w[0xc08a],0x0380    ; host mode with pull-downs: detached
@@:     test r6,2
        jz @f
        mov w[0xc0aa],0x0380
@@:     mov r1,[r9+ms]
each:   mov r2,millisecond
@@:     dec r2
        jnz @b
        dec r1
        jnz each
        test r6,1
        jz sie2
        xor r1,r1               ; full speed
        mov r2,1                ; SIE1
        int 113                 ; changes R1 to R4, R8, R10 to R12
find3:  mov r9,[vector * 2]
        mov r6,[r9+sies]
sie2:   test r6,2
        jz done
        xor r1,r1
        mov r2,2
        int 113
find4:  mov r9,[vector * 2]
done:   mov w[r9+status],0xd0ce
others: jmp [r9+old]
