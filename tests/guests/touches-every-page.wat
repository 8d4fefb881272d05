;; Takes all the memory it may have, touches each page, and answers well: little fuel, much work for the host's kernel.
;; The cap on memory keeps it under a millisecond.
(func $misbehave (param i32)
  (local $at i32)
  (drop (memory.grow (i32.const 29)))
  (loop $next
    (i32.store (local.get $at) (i32.load (local.get $at)))
    (local.set $at (i32.add (local.get $at) (i32.const 4096)))
    (br_if $next (i32.lt_u (local.get $at) (i32.mul (memory.size) (i32.const 65536))))))
