(func $misbehave (param i32)
  (loop $more (br_if $more (i32.ge_s (memory.grow (i32.const 16)) (i32.const 0)))))
