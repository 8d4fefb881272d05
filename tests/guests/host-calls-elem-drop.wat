;; To drop an element segment is one instruction and a call into the host.
(elem $segment func)
(func $misbehave (param i32)
  (loop $more
    (elem.drop $segment) (elem.drop $segment) (elem.drop $segment) (elem.drop $segment) (elem.drop $segment) (elem.drop $segment) (elem.drop $segment) (elem.drop $segment) (elem.drop $segment) (elem.drop $segment) (elem.drop $segment) (elem.drop $segment) (elem.drop $segment) (elem.drop $segment) (elem.drop $segment) (elem.drop $segment) (elem.drop $segment) (elem.drop $segment) (elem.drop $segment) (elem.drop $segment) (elem.drop $segment) (elem.drop $segment) (elem.drop $segment) (elem.drop $segment) (elem.drop $segment) (elem.drop $segment) (elem.drop $segment) (elem.drop $segment) (elem.drop $segment) (elem.drop $segment) (elem.drop $segment) (elem.drop $segment) 
    (br $more)))
