import { mavenProject } from './maven-project.ts';

/**
 * A small Maven project whose code has something for each analyser to find: `Planted` one place per rule, `Copied` a
 * stretch of `Planted` once more, and `Clean` nothing. A test covers `Clean` and nothing else.
 */
export const plantedProject: Readonly<Record<string, string>> = {
  'pom.xml': mavenProject['pom.xml'] ?? '',
  'src/main/java/com/example/Clean.java': `package com.example;

/** Nothing is wrong here. */
public final class Clean {
  private Clean() {}

  /* Not "code". */
  public static int twice(int number) {
    if (number == 0) {
      return 0;
    }
    return 2 * number; // not a "string
  }
}
`,
  'src/main/java/com/example/Planted.java': `package com.example;

import java.io.IOException;
import java.io.InputStream;
import java.net.URL;

public class Planted {
  interface Logger { void error(String text, Object... more); void info(String text); }
  interface Resolver { void close(); }
  interface Factory { Resolver getServiceResourceResolver(); }

  private final Logger log;
  private final Factory factory;
  private int unused;

  Planted(Logger log, Factory factory) {
    this.log = log;
    this.factory = factory;
  }

  void doGet() {
    log.info("somebody came");
  }

  InputStream open(String where) throws IOException {
    return new URL(where).openConnection().getInputStream();
  }

  String path() {
    Resolver resolver = factory.getServiceResourceResolver();
    return "/apps/site" + resolver;
  }

  void stop(Thread other) {
    other.interrupt();
  }

  int broken(String text) {
    String nothing = null;
    if (text.isEmpty()) {
      return nothing.length();
    }
    return 1;
  }

  void loud() {
    try {
      System.out.println("loud");
      open("x");
    } catch (IOException e) {
      log.error(e.getMessage());
      e.printStackTrace();
      throw new IllegalStateException(e);
    }
  }

  ${same('first')}
}
`,
  'src/main/java/com/example/Copied.java': `package com.example;

public class Copied {
  ${same('second')}
}
`,
  'src/test/java/com/example/CleanTest.java': `package com.example;

import static org.junit.jupiter.api.Assertions.assertEquals;
import org.junit.jupiter.api.Test;

class CleanTest {
  @Test
  void doubles() {
    assertEquals(4, Clean.twice(2));
  }

  @Test
  @org.junit.jupiter.api.Disabled
  void waits() {}
}
`,
};

function same(name: string): string {
  const lines = Array.from({ length: 12 }, (_, n) => `    total += numbers[${n}] * weights[${n}] - ${n};`);
  return `int ${name}(int[] numbers, int[] weights) {
    int total = 0;
${lines.join('\n')}
    return total;
  }`;
}
