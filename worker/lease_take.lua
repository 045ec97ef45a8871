-- KEYS[1] lease  ARGV: nonce, ms, id with its dot, generation
-- 1: held, 2: held, and nobody did before; 0: somebody's without an end, which
-- no holder of ours writes; otherwise -(ms that the other holder still has)
local held = redis.call('GET', KEYS[1])
if held and held ~= ARGV[1] then
    local same = string.sub(held, 1, #ARGV[3]) == ARGV[3]
    local generation = tonumber(string.sub(held, #ARGV[3] + 1))
    if not same or not generation or generation >= tonumber(ARGV[4]) then
        local left = redis.call('PTTL', KEYS[1])
        if left == -1 then return 0 end
        if left < 1 then left = 1 end
        return -left
    end
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return held and 1 or 2
