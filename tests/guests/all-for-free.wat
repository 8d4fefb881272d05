;; Says that the first offer costs nothing.
;; World: cost-model-plugin
(func $misbehave (param i32) (i32.store8 (i32.const 2048) (i32.const 1)))
