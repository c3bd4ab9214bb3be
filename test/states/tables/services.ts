import type { State, StateTable } from "../state.js";

/**
 * Runs until it is told to end, without work, and counts its starts and reloads in /run/NAME.log. Its managers say that it
 * is started while it still starts: once "start" stands there, it is ready for what comes.
 */
const DAEMON = `cat >/usr/local/bin/daemon <<'SH'
#!/bin/sh
trap "echo reload >>/run/$1.log" HUP
echo $$ >/run/$1.pid
echo start >>/run/$1.log
while :; do sleep 1000 & wait; done
SH
chmod 755 /usr/local/bin/daemon`;
/** Waits until a shell command succeeds; what never does is told by the state's own claim. */
const until = (command: string) => `for n in $(seq 1000); do if ${command}; then break; fi; sleep 0.01; done`;
/** ... until the daemon has written its first word */
const written = (name: string) => until(`test -s /run/${name}.log`);

interface Stand {
  readonly running?: boolean;
  readonly enabled?: boolean;
  readonly prepare?: string;
}

interface Manager {
  readonly start: string;
  readonly enable: string;
  readonly is: (running: boolean, enabled: boolean) => string;
}

/** What every manager does alike: for each of the four ways in which a service stands, what may be asked of it. */
function ordinary(provider: string, { start, enable, is }: Manager): readonly State[] {
  const count = { next: 0 };
  const one = (
    claim: string,
    { running = false, enabled = false, prepare = "" }: Stand,
    asked: object,
    changes: readonly string[],
    after: { running?: boolean; enabled?: boolean } = {},
    rest: Partial<State> = {},
  ): State => {
    const name = `s${count.next++}`;
    const empty = "rm -f /run/NAME.log";
    const lines = [
      running ? [empty, start, written("NAME")].join("\n") : "",
      enabled ? enable : "",
      prepare,
      empty,
    ];
    return {
      claim: `${provider}: ${claim}`,
      type: "service",
      name,
      prepare: lines.filter(Boolean).join("\n").replaceAll("NAME", name),
      options: { provider, ...asked },
      changes,
      ...rest,
      // The daemon's own word goes first: it is told to be started before it is all there.
      stands: [rest.stands ?? "", is(after.running ?? running, after.enabled ?? enabled)]
        .filter(Boolean)
        .join("\n")
        .replaceAll("NAME", name),
      ...(rest.standsAgain ? { standsAgain: rest.standsAgain.replaceAll("NAME", name) } : {}),
    };
  };
  const did = (word: string) => `${written("NAME")}\ntest "$(cat /run/NAME.log)" = ${word}`;
  /** Each time that it is asked for. The next state begins when the daemon has had its say. */
  const each = (word: string) => {
    const twice = `test "$(tr '\\n' ' ' </run/NAME.log)" = "${word} ${word} "`;
    return { each: true, stands: did(word), standsAgain: `${until(twice)}\n${twice}` } as const;
  };
  const nothing = "test ! -e /run/NAME.log";
  const [RUNNING, ENABLED] = [{ running: true }, { enabled: true }];
  const BOTH = { ...RUNNING, ...ENABLED };
  return [
    one(
      "started and enabled, from neither",
      {},
      { started: true, enabled: true },
      ["enable", "start"],
      BOTH,
      { stands: did("start") },
    ),
    one("started, from neither", {}, { started: true }, ["start"], RUNNING, { stands: did("start") }),
    one("enabled, from neither", {}, { enabled: true }, ["enable"], ENABLED, { stands: nothing }),
    one("started, and it runs", RUNNING, { started: true }, [], {}, { stands: nothing }),
    one("started and enabled, and it runs", RUNNING, { started: true, enabled: true }, ["enable"], BOTH, {
      stands: nothing,
    }),
    one(
      "started and enabled, and it is enabled",
      ENABLED,
      { started: true, enabled: true },
      ["start"],
      BOTH,
      { stands: did("start") },
    ),
    one("started and enabled, and it is both", BOTH, { started: true, enabled: true }, []),
    one("stopped and disabled, from both", BOTH, { started: false, enabled: false }, ["disable", "stop"], {
      running: false,
      enabled: false,
    }),
    one("stopped, from both", BOTH, { started: false }, ["stop"], { running: false }),
    one(
      "disabled, from both",
      BOTH,
      { enabled: false },
      ["disable"],
      { enabled: false },
      { stands: nothing },
    ),
    one("stopped and disabled already", {}, { started: false, enabled: false }, []),
    one("stopped and enabled", RUNNING, { started: false, enabled: true }, ["stop", "enable"], {
      running: false,
      enabled: true,
    }),
    one(
      "started and disabled",
      ENABLED,
      { started: true, enabled: false },
      ["disable", "start"],
      { running: true, enabled: false },
      { stands: did("start") },
    ),
    one("restarted, while it runs", RUNNING, { restarted: true }, ["restart"], {}, each("start")),
    one("restarted, while it does not run", {}, { restarted: true }, ["restart"], RUNNING, each("start")),
    one(
      "restarted and started is restarted",
      RUNNING,
      { restarted: true, started: true },
      ["restart"],
      {},
      each("start"),
    ),
    one("reloaded, while it runs", RUNNING, { reloaded: true }, ["reload"], {}, each("reload")),
    one("reloaded, while it does not run", {}, { reloaded: true }, [], {}, { stands: nothing }),
    {
      ...one("one that does not exist", {}, { started: true }, [], {}),
      name: "nosuch",
      error: 'there is no service "nosuch"',
    },
    {
      ...one("one that does not exist is stopped", {}, { started: false, enabled: false }, []),
      name: "nosuch",
    },
  ];
}

const UNIT = (more = "") =>
  `[Service]\\nExecStart=/usr/local/bin/daemon %%p\\nExecReload=/bin/kill -HUP $MAINPID\\n${more}[Install]\\nWantedBy=multi-user.target\\n`;
const unit = (name: string, text = UNIT(), folder = "/etc/systemd/system") =>
  `printf '${text}' >${folder}/${name}.service`;
const PLAIN = ["[Service]", "ExecStart=/bin/sleep 1000", ""].join("\\n");
const systemd = (claim: string, name: string, rest: Omit<State, "claim" | "type" | "name">): State => ({
  claim: `systemd: ${claim}`,
  type: "service",
  name,
  ...rest,
});
const is = (name: string, property: string, value: string) =>
  `test "$(systemctl show -p ${property} --value ${name})" = ${value}`;

/** What only systemd has. Its units are there before the first state, so that it reads them once. */
const SYSTEMD_ONLY: readonly State[] = [
  systemd("masked", "lib1", {
    options: { masked: true },
    changes: ["mask"],
    stands: is("lib1", "LoadState", "masked"),
  }),
  systemd("masked already", "lib1", { options: { masked: true }, changes: [] }),
  systemd("masked is not started", "lib1", {
    options: { started: true },
    error: '"masked: false" unmasks it',
  }),
  systemd("masked, stopped and disabled already", "lib1", {
    options: { started: false, enabled: false, masked: true },
    changes: [],
  }),
  systemd("unmasked, enabled and started", "lib1", {
    options: { masked: false, enabled: true, started: true },
    changes: ["unmask", "enable", "start"],
    stands: is("lib1", "ActiveState", "active"),
  }),
  systemd("masked while it runs, and it runs on", "lib1", {
    options: { masked: true },
    changes: ["mask"],
    stands: is("lib1", "ActiveState", "active"),
  }),
  systemd("stopped, disabled and masked", "lib2", {
    prepare: "systemctl enable -q --now lib2",
    options: { started: false, enabled: false, masked: true },
    changes: ["disable", "stop", "mask"],
    stands: is("lib2", "ActiveState", "inactive"),
  }),
  systemd("a unit of the administrator's can't be masked", "own", {
    options: { masked: true },
    error: "/etc/systemd/system/own.service is in the place of the mask",
  }),
  systemd("one without [Install] is started", "plain", { options: { started: true }, changes: ["start"] }),
  systemd("one without [Install] can't be enabled", "plain", {
    options: { enabled: true },
    error: "can't be enabled",
  }),
  systemd("one without [Install] is disabled", "plain", { options: { enabled: false }, changes: [] }),
  systemd("one that can't reload", "plain", {
    options: { reloaded: true },
    error: "systemd can't reload it: its unit does not say how",
  }),
  systemd("an instance of a template", "many@one", {
    options: { started: true, enabled: true },
    changes: ["enable", "start"],
    stands: is("many@one", "ActiveState", "active"),
  }),
  systemd("a timer by its whole name", "tick.timer", {
    options: { started: true, enabled: true },
    changes: ["enable", "start"],
    stands: is("tick.timer", "ActiveState", "active"),
  }),
  systemd("one that does its work and ends", "job", {
    options: { started: true },
    changes: ["start"],
    each: true,
    stands: "test -e /run/job.done",
  }),
  systemd("one that does its work and stays", "kept", {
    options: { started: true },
    changes: ["start"],
    stands: is("kept", "ActiveState", "active"),
  }),
  systemd("one under another name", "nick", {
    options: { started: true },
    changes: ["start"],
    stands: is("real", "ActiveState", "active"),
  }),
  systemd("one that failed is started anew", "own", {
    prepare: `systemctl start own; systemctl kill -s KILL own; ${until("systemctl is-failed -q own")}`,
    options: { started: true },
    changes: ["start"],
    stands: is("own", "ActiveState", "active"),
  }),
  systemd("a changed unit file is read", "stale", {
    prepare: `systemctl start stale; ${written("stale")}; ${unit("stale", UNIT("Environment=A=1\\n"))}`,
    options: { daemonReload: true },
    changes: ["daemonReload"],
    stands: is("stale", "NeedDaemonReload", "no"),
  }),
  systemd("a changed unit file is read before the restart", "stale", {
    prepare: `sleep 0.01; ${unit("stale", UNIT("Environment=A=2\\n"))}`,
    options: { daemonReload: true, started: true },
    changes: ["daemonReload"],
    stands: is("stale", "Environment", "A=2"),
  }),
  systemd("an unchanged one is not read", "stale", {
    options: { daemonReload: true, started: true },
    changes: [],
  }),
  systemd("a new unit that nobody read yet", "fresh", {
    prepare: unit("fresh"),
    options: { daemonReload: true, started: true, enabled: true },
    changes: ["enable", "start"],
    stands: is("fresh", "ActiveState", "active"),
  }),
  systemd("a unit that systemd can't read", "broken", {
    prepare: unit("broken", "[Service]\\nType=simple\\n"),
    options: { started: true },
    error: "systemd can't read its unit file",
  }),
  systemd("one that only others may start", "manual", {
    options: { started: true },
    error: "systemd can't start it",
  }),
];

export const SYSTEMD_TABLE: StateTable = {
  prepare: `${DAEMON}
for n in $(seq 0 19); do ${unit("s$n")}; done
for n in lib1 lib2; do ${unit("$n", UNIT(), "/usr/lib/systemd/system")}; done
${["own", "stale", "many@"].map((name) => unit(name)).join("\n")}
${unit("plain", PLAIN)}
${unit("manual", `[Unit]\\nRefuseManualStart=yes\\n${PLAIN}`)}
${unit("job", "[Service]\\nType=oneshot\\nExecStart=/bin/touch /run/job.done\\n")}
${unit("kept", "[Service]\\nType=oneshot\\nRemainAfterExit=yes\\nExecStart=/bin/true\\n")}
${unit("real", `${PLAIN}[Install]\\nWantedBy=multi-user.target\\nAlias=nick.service\\n`)}
ln -s real.service /etc/systemd/system/nick.service
printf '[Timer]\\nOnCalendar=yearly\\nUnit=job.service\\n[Install]\\nWantedBy=timers.target\\n' >/etc/systemd/system/tick.timer
systemctl daemon-reload`,
  states: [
    ...ordinary("systemd", {
      start: "systemctl start NAME",
      enable: "systemctl enable -q NAME",
      is: (running, enabled) =>
        [
          `test "$(systemctl is-active NAME)" = ${running ? "active" : "inactive"}`,
          `test "$(systemctl is-enabled NAME)" = ${enabled ? "enabled" : "disabled"}`,
        ].join("\n"),
    }),
    ...SYSTEMD_ONLY,
  ],
  untouched: ["/etc", "/usr/lib/systemd"],
  watch:
    "systemctl show -p Id,LoadState,ActiveState,UnitFileState,NeedDaemonReload $(seq -f s%g 0 19) lib1 lib2 own plain; cat /run/s*.log 2>/dev/null || true",
};

const RC = `#!/sbin/openrc-run
extra_started_commands=reload
start() { start-stop-daemon --start --background --make-pidfile --pidfile /run/$RC_SVCNAME.pid --exec /usr/local/bin/daemon -- $RC_SVCNAME; }
stop() { start-stop-daemon --stop --pidfile /run/$RC_SVCNAME.pid; }
reload() { kill -HUP $(cat /run/$RC_SVCNAME.pid); }`;

export const OPENRC_TABLE: StateTable = {
  prepare: `${DAEMON}
mkdir -p /run/openrc; touch /run/openrc/softlevel
rm -f /etc/init.d/s[0-9]*
cat >/etc/init.d/s0 <<'SH'
${RC}
SH
chmod 755 /etc/init.d/s0; for n in $(seq 1 17); do cp /etc/init.d/s0 /etc/init.d/s$n; done
grep -v reload /etc/init.d/s0 >/etc/init.d/plain; chmod 755 /etc/init.d/plain`,
  states: [
    ...ordinary("openrc", {
      start: "rc-service -q NAME start",
      enable: "rc-update -q add NAME default",
      is: (running, enabled) =>
        [
          `${running ? "" : "! "}rc-service -q NAME status >/dev/null`,
          `${enabled ? "" : "! "}test -e /etc/runlevels/default/NAME`,
        ].join("\n"),
    }),
    {
      claim: "openrc: one that can't reload",
      type: "service",
      name: "plain",
      prepare: "rc-service -q plain start",
      options: { provider: "openrc", reloaded: true },
      error: "openrc can't reload it",
    },
  ],
  untouched: ["/etc", "/usr/local"],
  watch: "cat /run/s*.log 2>/dev/null || true; ls /run/openrc/started 2>/dev/null || true",
};

const INIT = (name: string) => `#!/bin/sh
### BEGIN INIT INFO
# Provides: ${name}
# Required-Start:
# Required-Stop:
# Default-Start: 2 3 4 5
# Default-Stop: 0 1 6
### END INIT INFO
alive() { [ -f /run/${name}.pid ] && kill -0 $(cat /run/${name}.pid) 2>/dev/null; }
case $1 in
  start) alive || { setsid /usr/local/bin/daemon ${name} </dev/null >/dev/null 2>&1 & ${until("alive")}; } ;;
  stop) alive && kill -9 $(cat /run/${name}.pid); rm -f /run/${name}.pid ;;
  restart) $0 stop; $0 start ;;
  reload) kill -HUP $(cat /run/${name}.pid) ;;
  status) alive || exit 3 ;;
esac`;

export const SYSVINIT_TABLE: StateTable = {
  prepare: `${DAEMON}
rm -f /etc/init.d/s[0-9]* /run/s[0-9]*.pid
for n in $(seq 0 17); do cat >/etc/init.d/s$n <<SH
${INIT("s$n").replaceAll("$(", "\\$(").replaceAll("$1", "\\$1").replaceAll("$0", "\\$0")}
SH
chmod 755 /etc/init.d/s$n; done`,
  states: ordinary("sysvinit", {
    start: "service NAME start",
    enable: "update-rc.d NAME defaults; update-rc.d NAME enable",
    is: (running, enabled) =>
      [
        `${running ? "" : "! "}service NAME status`,
        `${enabled ? "" : "! "}test -n "$(find /etc/rc3.d -name 'S*NAME')"`,
      ].join("\n"),
  }),
  untouched: ["/etc", "/usr/local"],
  watch: "cat /run/s*.log 2>/dev/null || true",
};
