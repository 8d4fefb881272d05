;; A bulk operation is one instruction and writes 64 KiB: it is paid for by the byte.
(func $misbehave (param i32)
  (loop $more (memory.fill (i32.const 65536) (i32.const 1) (i32.const 65536)) (br $more)))
