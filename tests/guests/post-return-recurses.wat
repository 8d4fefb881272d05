;; What tidies up after its answer calls itself without end.
(global $triggered (mut i32) (i32.const 0))
(func $misbehave (param i32) (global.set $triggered (i32.const 1)))
(func (export "cabi_post_muxel:plugin/strategy@0.1.0#rank") (param i32)
  (if (global.get $triggered) (then (call $deeper))))
(func $deeper (call $deeper) (call $deeper))
