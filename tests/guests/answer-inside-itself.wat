;; An order that is the answer itself, read as places: its first index is the address of the order.
(func $misbehave (param i32) (i32.store (i32.const 260) (i32.const 256)) (i32.store (i32.const 264) (i32.const 4)))
