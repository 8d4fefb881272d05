;; Nine parts, all of them the same.
(data (i32.const 700) "part")
(func $misbehave (param i32)
  (local $at i32)
  (i32.store (i32.const 268) (i32.const 1300))
  (i32.store (i32.const 272) (i32.const 9))
  (local.set $at (i32.const 1300))
  (loop $next
    (i32.store (local.get $at) (i32.const 700))
    (i32.store offset=4 (local.get $at) (i32.const 4))
    (i32.store offset=8 (local.get $at) (i32.const 516))
    (i32.store offset=12 (local.get $at) (i32.const 1))
    (local.set $at (i32.add (local.get $at) (i32.const 16)))
    (br_if $next (i32.lt_u (local.get $at) (i32.const 1444)))))
