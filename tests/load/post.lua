-- One image request, the same for everyone.
wrk.method = "POST"
wrk.headers["content-type"] = "application/json"
wrk.body = '{"model":"' .. (os.getenv("MODEL") or "auto") .. '","prompt":"a red bicycle leaning on a blue wall","size":"1024x1024"}'

function done(summary, latency, _)
  local failed = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  io.write(string.format("RESULT requests=%d failed=%d rps=%.0f p50_us=%d p99_us=%d\n",
    summary.requests, failed, summary.requests / (summary.duration / 1e6), latency:percentile(50), latency:percentile(99)))
end
