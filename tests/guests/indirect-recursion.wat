;; Two functions that call each other through a table: no call graph shows the cycle.
(type $step (func (param i32) (result i32)))
(table 2 funcref)
(elem (i32.const 0) $even $odd)
(func $even (type $step) (i32.add (i32.const 1) (call_indirect (type $step) (local.get 0) (i32.const 1))))
(func $odd (type $step) (i32.add (i32.const 1) (call_indirect (type $step) (local.get 0) (i32.const 0))))
(func $misbehave (param i32) (drop (call $even (i32.const 0))))
