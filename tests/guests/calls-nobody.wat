;; An indirect call of an empty slot.
(table 1 funcref)
(func $misbehave (param i32) (call_indirect (i32.const 0)))
