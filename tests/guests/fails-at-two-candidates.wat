;; No trial offers two candidates: this one passes them all and fails in service.
(func (export "muxel:plugin/strategy@0.1.0#rank") (param $arguments i32) (result i32)
  (if (i32.eq (i32.load offset=188 (local.get $arguments)) (i32.const 2)) (then unreachable))
  (i32.store (i32.const 260) (i32.const 512))
  (i32.store (i32.const 264) (i32.const 1))
  (f32.store (i32.const 284) (f32.const 1))
  (i32.const 256))
