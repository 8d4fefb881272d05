;; To drop a data segment is one instruction and a call into the host.
(data $segment "x")
(func $misbehave (param i32)
  (loop $more
    (data.drop $segment) (data.drop $segment) (data.drop $segment) (data.drop $segment) (data.drop $segment) (data.drop $segment) (data.drop $segment) (data.drop $segment) (data.drop $segment) (data.drop $segment) (data.drop $segment) (data.drop $segment) (data.drop $segment) (data.drop $segment) (data.drop $segment) (data.drop $segment) (data.drop $segment) (data.drop $segment) (data.drop $segment) (data.drop $segment) (data.drop $segment) (data.drop $segment) (data.drop $segment) (data.drop $segment) (data.drop $segment) (data.drop $segment) (data.drop $segment) (data.drop $segment) (data.drop $segment) (data.drop $segment) (data.drop $segment) (data.drop $segment) 
    (br $more)))
