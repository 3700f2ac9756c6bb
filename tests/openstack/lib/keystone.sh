# Keystone (identity), under uwsgi, fernet tokens.
# shellcheck shell=bash

configure_keystone() {
    mkdir -p "$ETC/keystone" "$STATE/keystone"
    # Four hash rounds: the passwords are public, and each login costs processor time.
    cat >"$ETC/keystone/keystone.conf" <<E
[DEFAULT]
use_stderr = true
debug = false
max_token_size = 255
[cache]
enabled = true
backend = dogpile.cache.memcached
memcache_servers = 127.0.0.1:$CACHE_PORT
$(database keystone)
[token]
provider = fernet
expiration = $TOKEN_TTL
[fernet_tokens]
key_repository = $STATE/keystone/fernet-keys
[credential]
key_repository = $STATE/keystone/credential-keys
[identity]
password_hash_rounds = 4
[oslo_middleware]
enable_proxy_headers_parsing = true
E
    uwsgi_service keystone 5000 wsgi_keystone "$WORKERS" "OS_KEYSTONE_CONFIG_DIR=$ETC/keystone"
}

schema_keystone() {
    local manage="keystone-manage --config-dir $ETC/keystone" user group
    user=$(id -un) group=$(id -gn)
    $manage db_sync
    $manage fernet_setup --keystone-user "$user" --keystone-group "$group"
    $manage credential_setup --keystone-user "$user" --keystone-group "$group"
    $manage bootstrap --bootstrap-password "$ADMIN_PASS" --bootstrap-region-id RegionOne \
        --bootstrap-admin-url "$KEYSTONE_URL/v3" --bootstrap-internal-url "$KEYSTONE_URL/v3" \
        --bootstrap-public-url "$KEYSTONE_URL/v3"
}
