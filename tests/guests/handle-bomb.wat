;; World: hoarder
;; A resource of its own, of which it makes handle after handle and gives none back.
(import "[export]test:guests/hoard" "[resource-new]thing" (func $new (param i32) (result i32)))
(func $misbehave (param i32)
  (local $count i32)
  (loop $more
    (drop (call $new (i32.const 1)))
    (local.set $count (i32.add (local.get $count) (i32.const 1)))
    (br_if $more (i32.lt_u (local.get $count) (i32.const 10000)))))
