;; `result<list<option<estimate>>, refusal>` at 256: tag, list (260, 264). Twelve bytes an entry, from 2,048: tag, expected,
;; upper. `none` for each offer.
(func (export "muxel:plugin/cost-model@0.1.0#price") (param $arguments i32) (result i32)
  (i32.store (i32.const 260) (i32.const 2048))
  (i32.store (i32.const 264) (i32.load offset=148 (local.get $arguments)))
  (if (i32.eq (i32.load offset=16 (local.get $arguments)) (i32.const 77))
    (then (call $misbehave (local.get $arguments))))
  (i32.const 256))
