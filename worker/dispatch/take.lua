-- May this row leave now? Writes nothing.
-- KEYS: lease, out, meta, then whom it is for (nobody: do not look)
-- ARGV: nonce, row id, 1 if LINE counts it, now in ms
-- ok | lease | gone | blocked | without I,I,... (from 0) | pause MS
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
    return 'lease'
end
if #redis.call('XRANGE', KEYS[2], ARGV[2], ARGV[2]) == 0 then
    return 'gone'
end
local blocked = {}
for i = 4, #KEYS do
    if redis.call('HGET', KEYS[i], 'st') == 'blocked' then
        blocked[#blocked + 1] = i - 4
    end
end
if #blocked > 0 and #blocked == #KEYS - 3 then
    return 'blocked'
end
if ARGV[3] == '1' then
    local pause = redis.call('HGET', KEYS[3], 'pause')
    local ms = pause and tonumber(pause)
    if ms and ms > tonumber(ARGV[4]) then
        return 'pause ' .. pause
    end
end
if #blocked > 0 then
    return 'without ' .. table.concat(blocked, ',')
end
return 'ok'
