;; Says that the first offer costs as much as a number can say.
;; World: cost-model-plugin
(func $misbehave (param i32) (i32.store8 (i32.const 2048) (i32.const 1)) (i32.store (i32.const 2052) (i32.const -1)) (i32.store (i32.const 2056) (i32.const -1)))
