;; `result<classification, refusal>` at 256: tag, label (260, 264), confidence (268), complexity (272), traits (276, 280),
;; features (284, 288).
(data (i32.const 1200) "general")
(func (export "muxel:plugin/classifier@0.1.0#classify") (param $arguments i32) (result i32)
  (i32.store (i32.const 260) (i32.const 1200))
  (i32.store (i32.const 264) (i32.const 7))
  (if (i32.eq (i32.load offset=16 (local.get $arguments)) (i32.const 77))
    (then (call $misbehave (local.get $arguments))))
  (i32.const 256))
