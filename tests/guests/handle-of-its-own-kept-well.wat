;; World: hoarder
;; Makes and gives back a handle a thousand times: there is nothing wrong with that.
(import "[export]test:guests/hoard" "[resource-new]thing" (func $new (param i32) (result i32)))
(import "[export]test:guests/hoard" "[resource-drop]thing" (func $drop (param i32)))
(func $misbehave (param i32)
  (local $count i32)
  (loop $more
    (call $drop (call $new (i32.const 1)))
    (local.set $count (i32.add (local.get $count) (i32.const 1)))
    (br_if $more (i32.lt_u (local.get $count) (i32.const 1000)))))
