/* `healthy.mjs URL`: whether a server of this container says that it is well; the health check of docker-compose.yml. */
const { ok } = await fetch(process.argv[2], { signal: AbortSignal.timeout(4_000) }).catch(() => ({
  ok: false,
}));
process.exitCode = ok ? 0 : 1;
