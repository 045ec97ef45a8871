-- May this row leave now? Writes nothing.
-- KEYS: lease, out, meta, friend (absent for a multicast)
-- ARGV: nonce, row id, 1 if LINE counts it, now in ms
-- ok | lease | gone | blocked | pause MS
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
    return 'lease'
end
if #redis.call('XRANGE', KEYS[2], ARGV[2], ARGV[2]) == 0 then
    return 'gone'
end
if KEYS[4] and redis.call('HGET', KEYS[4], 'st') == 'blocked' then
    return 'blocked'
end
if ARGV[3] == '1' then
    local pause = redis.call('HGET', KEYS[3], 'pause')
    local ms = pause and tonumber(pause)
    if ms and ms > tonumber(ARGV[4]) then
        return 'pause ' .. pause
    end
end
return 'ok'
