-- Applies what ingest decided, or nothing (docs/formats.md, Commit).
-- KEYS[1] lease, KEYS[2] cursor, the rest by index.
-- ARGV: nonce, n, then operations `op count key args...`.
-- No business logic: it knows types and operations, not meanings.

local INTSET_MAX = 16384

local function type_of(key)
    return redis.call('TYPE', key).ok
end

local function to_bitmap(key)
    local members = redis.call('SMEMBERS', key)
    redis.call('DEL', key)
    for i = #members, 1, -1 do
        redis.call('SETBIT', key, members[i], 1)
    end
end

local function set_add(key, serial)
    if type_of(key) == 'string' then
        redis.call('SETBIT', key, serial, 1)
        return
    end
    redis.call('SADD', key, serial)
    if redis.call('SCARD', key) > INTSET_MAX then
        to_bitmap(key)
    end
end

local function set_remove(key, serial)
    if type_of(key) == 'string' then
        redis.call('SETBIT', key, serial, 0)
    else
        redis.call('SREM', key, serial)
    end
end

-- op -> { types allowed beside none, function(key, first, last),
--         word of the refusal: 'type' }
local ops = {
    n = { {}, function () end, 'taken' },
    h = { { hash = 1 }, function (k, a, b)
        redis.call('HSET', k, unpack(ARGV, a, b))
    end },
    d = { { hash = 1 }, function (k, a, b)
        redis.call('HDEL', k, unpack(ARGV, a, b))
    end },
    z = { { zset = 1 }, function (k, a)
        redis.call('ZADD', k, ARGV[a], ARGV[a + 1])
    end },
    y = { { zset = 1 }, function (k, a, b)
        redis.call('ZREM', k, unpack(ARGV, a, b))
    end },
    i = { { set = 1, string = 1 }, function (k, a)
        set_add(k, ARGV[a])
    end },
    j = { { set = 1, string = 1 }, function (k, a)
        set_remove(k, ARGV[a])
    end },
    l = { { list = 1 }, function (k, a)
        redis.call('LPUSH', k, ARGV[a + 1])
        redis.call('LTRIM', k, 0, ARGV[a] - 1)
    end },
    x = { { stream = 1 }, function (k, a, b)
        redis.call('XADD', k, '*', unpack(ARGV, a, b))
    end },
    X = { { stream = 1 }, function (k, a, b)
        redis.call('XADD', k, 'MAXLEN', '~', 1000, '*', unpack(ARGV, a, b))
    end },
    r = { { list = 1 }, function (k, a)
        local at = redis.call('LPOS', k, ARGV[a])
        if at then
            redis.call('LSET', k, at, ARGV[a + 1])
        end
    end },
    u = { { hash = 1, list = 1 }, function (k)
        redis.call('UNLINK', k)
    end },
    q = { { stream = 1 }, function (k, a, b)
        redis.call('XDEL', k, unpack(ARGV, a, b))
    end },
    m = { { stream = 1 }, function (k, a)
        redis.call('XTRIM', k, 'MINID', '=', ARGV[a])
    end },
}

if redis.call('GET', KEYS[1]) ~= ARGV[1] then
    return { 'lease' }
end

local t = type_of(KEYS[2])
if t ~= 'hash' and t ~= 'none' then
    return { 'type ' .. KEYS[2] }
end

if (redis.call('HGET', KEYS[2], 'n') or '0') ~= ARGV[2] then
    return { 'cursor' }
end

local checked = {}
local at = 3
while at <= #ARGV do
    local op, count = ops[ARGV[at]], tonumber(ARGV[at + 1])
    local key = KEYS[tonumber(ARGV[at + 2])]
    local mark = ARGV[at] .. ARGV[at + 2]
    if not checked[mark] then
        t = type_of(key)
        if t ~= 'none' and not op[1][t] then
            return { (op[3] or 'type') .. ' ' .. key }
        end
        checked[mark] = true
    end
    at = at + 2 + count
end

at = 3
while at <= #ARGV do
    local op, count = ops[ARGV[at]], tonumber(ARGV[at + 1])
    op[2](KEYS[tonumber(ARGV[at + 2])], at + 3, at + 1 + count)
    at = at + 2 + count
end

return redis.status_reply('OK')
