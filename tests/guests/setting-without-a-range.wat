;; A setting whose range is no range: its ends are no numbers.
(data (i32.const 1048) "\b0\04\00\00\01\00\00\00")
(data (i32.const 1200) "\60\04\00\00\06\00\00\00" "\60\04\00\00\00\00\00\00" "\60\04\00\00\00\00\00\00" "\00\00\00\00\00\00\00\00" "\00\00\00\00\00\00\00\00" "\00\00\00\00\00\00\f8\7f" "\00\00\00\00\00\00\f8\7f")
(data (i32.const 1120) "weight")
(func (export "muxel:plugin/describe@0.1.0#describe") (result i32) (i32.const 1024))
