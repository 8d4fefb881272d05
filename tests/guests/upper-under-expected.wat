;; An upper price that is under the expected one.
;; World: cost-model-plugin
(func $misbehave (param i32) (i32.store8 (i32.const 2048) (i32.const 1)) (i32.store (i32.const 2052) (i32.const 9)) (i32.store (i32.const 2056) (i32.const 8)))
