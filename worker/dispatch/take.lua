-- May these rows of an account leave now? Writes nothing.
-- KEYS: lease, out, meta, then whom the rows are for, one row's after another's
-- ARGV: nonce, now in ms, then of each row its id, 1 if LINE counts it, and
--       how many keys are its people's (0: do not look)
-- lease | for each row: ok | gone | blocked | without I,I,... (from 0) |
--         pause MS | the error that its people's keys gave
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
    return 'lease'
end
local pause = redis.call('HGET', KEYS[3], 'pause')
local ms = pause and tonumber(pause)
local paused = ms and ms > tonumber(ARGV[2])
local person = 3

local function word(id, counted, people)
    local blocked, from = {}, person
    person = person + people
    if #redis.call('XRANGE', KEYS[2], id, id) == 0 then
        return 'gone'
    end
    for i = 1, people do
        local state = redis.pcall('HGET', KEYS[from + i], 'st')
        if type(state) == 'table' then
            return state
        end
        if state == 'blocked' then
            blocked[#blocked + 1] = i - 1
        end
    end
    if #blocked > 0 and #blocked == people then
        return 'blocked'
    end
    if counted and paused then
        return 'pause ' .. pause
    end
    if #blocked > 0 then
        return 'without ' .. table.concat(blocked, ',')
    end
    return 'ok'
end

local words = {}
for i = 3, #ARGV, 3 do
    words[#words + 1] = word(ARGV[i], ARGV[i + 1] == '1', tonumber(ARGV[i + 2]))
end
return words
