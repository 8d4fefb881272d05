;; World: hoarder
;; What tidies up after its answer calls out of the component, which it must not at that time.
(import "[export]test:guests/hoard" "[resource-new]thing" (func $new (param i32) (result i32)))
(global $triggered (mut i32) (i32.const 0))
(func $misbehave (param i32) (global.set $triggered (i32.const 1)))
(func (export "cabi_post_muxel:plugin/strategy@0.1.0#rank") (param i32)
  (if (global.get $triggered) (then (drop (call $new (i32.const 1))))))
