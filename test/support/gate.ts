/** A place where activities are held until the test lets them go. */
export function gate() {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => (open = resolve));
  let arrived = 0;
  return {
    open,
    arrivals: () => arrived,
    hold: async () => {
      arrived += 1;
      await opened;
    },
  };
}
