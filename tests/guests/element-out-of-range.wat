;; Its element segment lies outside its table: instantiation traps.
(table 1 funcref)
(func $nobody)
(elem (i32.const 1) $nobody)
