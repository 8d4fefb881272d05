(func $misbehave (param i32)
  (loop $more (memory.copy (i32.const 65536) (i32.const 0) (i32.const 65536)) (br $more)))
