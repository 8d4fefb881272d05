;; 33 traits, all of them the same.
;; World: classifier-plugin
(data (i32.const 700) "text")
(func $misbehave (param i32)
  (local $at i32)
  (i32.store (i32.const 276) (i32.const 1300))
  (i32.store (i32.const 280) (i32.const 33))
  (local.set $at (i32.const 1300))
  (loop $next
    (i32.store (local.get $at) (i32.const 700))
    (i32.store offset=4 (local.get $at) (i32.const 4))
    (local.set $at (i32.add (local.get $at) (i32.const 12)))
    (br_if $next (i32.lt_u (local.get $at) (i32.const 1696)))))
