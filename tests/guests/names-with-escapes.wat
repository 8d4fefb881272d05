;; Names itself in words that paint a terminal and run backwards.
(data (i32.const 1024) "\4c\04\00\00\08\00\00\00" "\4c\04\00\00\08\00\00\00" "\4c\04\00\00\08\00\00\00")
(data (i32.const 1100) "\1b[2J\e2\80\aea")
(func (export "muxel:plugin/describe@0.1.0#describe") (result i32) (i32.const 1024))
