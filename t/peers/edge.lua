-- A peer for scripts/bench: a tracked URL and a LINE webhook in Lua. Each asks
-- or tells Redis before it answers, as there is nothing else to rest on.

local ffi = require "ffi"
local redis = require "nginx.redis"

ffi.cdef [[
const void *EVP_sha256(void);
unsigned char *HMAC(const void *md, const void *key, int key_len,
    const unsigned char *d, size_t n, unsigned char *md_out, unsigned int *md_len);
]]

redis.add_commands("xadd")

local crypto = ffi.load("crypto.so.3")
local sha256 = crypto.EVP_sha256()
local mac = ffi.new("unsigned char[32]")

edge = {}

local function open()
    local r = redis:new()
    r:set_timeout(1000)
    if not r:connect(ngx.var.redis_socket) then
        return nil
    end
    return r
end

-- one round trip: the target, and the click's entry
function edge.redirect()
    local token = ngx.var.uri:sub(4)
    local r = open()
    if not r then
        return ngx.exit(503)
    end
    r:init_pipeline(2)
    r:hmget("link:" .. token, "url", "friend")
    r:xadd("clicks", "*", "token", token, "at", ngx.now() * 1000,
        "agent", ngx.var.http_user_agent or "")
    local replies = r:commit_pipeline()
    if not replies then
        return ngx.exit(503)
    end
    r:set_keepalive(60000, 128)
    local url = replies[1][1]
    if not url or url == ngx.null then
        return ngx.exit(404)
    end
    ngx.header["Cache-Control"] = "no-store"
    return ngx.redirect(url, 302)
end

function edge.webhook()
    ngx.req.read_body()
    local body = ngx.req.get_body_data() or ""
    local secret = ngx.var.channel_secret
    crypto.HMAC(sha256, secret, #secret, body, #body, mac, nil)
    if ngx.encode_base64(ffi.string(mac, 32)) ~= ngx.var.http_x_line_signature then
        return ngx.exit(401)
    end
    local r = open()
    if not r or not r:xadd("webhooks", "*", "at", ngx.now() * 1000, "body", body) then
        return ngx.exit(503)
    end
    r:set_keepalive(60000, 128)
    return ngx.exit(200)
end
