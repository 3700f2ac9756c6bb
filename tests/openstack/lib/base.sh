# What the services lean on: MariaDB, RabbitMQ (with epmd), memcached; on ports of their own, data under $STATE.
# shellcheck shell=bash

# As root the servers are told to stay root; as anybody else they are that anyway.
as_root() { [ "$(id -u)" != 0 ] || echo "$*"; }

configure_base() {
    mkdir -p "$ETC/rabbitmq" "$STATE/rabbitmq"
    cat >"$ETC/rabbitmq/rabbitmq.conf" <<E
listeners.tcp.1 = 127.0.0.1:$MQ_PORT
loopback_users.guest = true
disk_free_limit.absolute = 50MB
vm_memory_high_watermark.absolute = 1GB
log.console = true
log.console.level = warning
log.file = false
E
    echo '[].' >"$ETC/rabbitmq/enabled_plugins"
    service epmd <<E
exec epmd -address 127.0.0.1 -port $EPMD_PORT
E
    # Durability is of no use here: a wiped database is as good as a new one.
    service mariadb <<E
exec mariadbd --no-defaults $(as_root --user=root) --datadir=$STATE/mysql --socket=$RUN/mysql.sock --pid-file=$RUN/mysql.own.pid \\
  --bind-address=127.0.0.1 --port=$DB_PORT --skip-name-resolve --skip-log-bin --max-connections=1000 \\
  --innodb-buffer-pool-size=256M --innodb-log-file-size=64M --innodb-flush-log-at-trx-commit=0 --innodb-doublewrite=0 \\
  --innodb-flush-method=nosync --performance-schema=OFF --character-set-server=utf8mb3 --collation-server=utf8mb3_general_ci
E
    service memcached <<E
exec memcached $(as_root -u root) -l 127.0.0.1 -p $CACHE_PORT -U 0 -m 64
E
    service rabbitmq <<E
export HOME=$STATE/rabbitmq RABBITMQ_NODENAME=mita@localhost RABBITMQ_CONFIG_FILE=$ETC/rabbitmq/rabbitmq
export RABBITMQ_ENABLED_PLUGINS_FILE=$ETC/rabbitmq/enabled_plugins RABBITMQ_CONF_ENV_FILE=$ETC/rabbitmq/none
export RABBITMQ_MNESIA_BASE=$STATE/rabbitmq/mnesia RABBITMQ_LOG_BASE=$LOG/rabbitmq RABBITMQ_LOGS=-
export RABBITMQ_PID_FILE=$RUN/rabbitmq.own.pid RABBITMQ_DIST_PORT=$MQ_DIST_PORT
export ERL_EPMD_PORT=$EPMD_PORT ERL_EPMD_ADDRESS=127.0.0.1
export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1} +S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none"
exec /usr/lib/rabbitmq/bin/rabbitmq-server
E
}

start_base() {
    "$HERE/ctl" start epmd memcached rabbitmq
    if [ ! -e "$STATE/mysql/.ready" ]; then
        rm -rf "$STATE/mysql"
        mkdir -p "$STATE/mysql"
        # shellcheck disable=SC2046  # no argument at all when not root
        mariadb-install-db --no-defaults $(as_root --user=root) --datadir="$STATE/mysql" --skip-test-db \
            --skip-name-resolve --auth-root-authentication-method=normal >"$LOG/mariadb-install.log" 2>&1 9>&- ||
            {
                tail -n 5 "$LOG/mariadb-install.log" >&2
                die "mariadb-install-db failed"
            }
        touch "$STATE/mysql/.ready"
    fi
    "$HERE/ctl" start mariadb
    wait_port mariadb "$DB_PORT" 60
}

create_databases() { # NAME...
    local name
    for name in "$@"; do echo "CREATE DATABASE IF NOT EXISTS $name CHARACTER SET utf8mb3;"; done >"$STATE/init.sql"
    for name in 127.0.0.1 localhost; do
        echo "GRANT ALL ON *.* TO '$DB_USER'@'$name' IDENTIFIED BY '$DB_PASS';"
    done >>"$STATE/init.sql"
    mariadb --no-defaults -u root --socket="$RUN/mysql.sock" -N -e "source $STATE/init.sql"
}
