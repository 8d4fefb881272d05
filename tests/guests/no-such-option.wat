;; An estimate that is neither `some` nor `none`.
;; World: cost-model-plugin
(func $misbehave (param i32) (i32.store8 (i32.const 2048) (i32.const 2)))
