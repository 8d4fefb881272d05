;; Wants a field of the request that there is not.
(data (i32.const 1056) "\4c\04\00\00\01\00\00\00")
(data (i32.const 1100) "\60\04\00\00\06\00\00\00")
(data (i32.const 1120) "passwd")
(func (export "muxel:plugin/describe@0.1.0#describe") (result i32) (i32.const 1024))
