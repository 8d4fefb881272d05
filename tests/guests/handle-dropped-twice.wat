;; World: hoarder
(import "[export]test:guests/hoard" "[resource-new]thing" (func $new (param i32) (result i32)))
(import "[export]test:guests/hoard" "[resource-drop]thing" (func $drop (param i32)))
(func $misbehave (param i32)
  (local $handle i32)
  (local.set $handle (call $new (i32.const 1)))
  (call $drop (local.get $handle))
  (call $drop (local.get $handle)))
