import { plantedProject } from '../support/planted-project.ts';

/**
 * The planted project, and what the two engines of code scanning might count differently: sources without anything to
 * cover, tests among the sources, generated classes, duplicates of different statements, and more rules.
 */
export const comparedProject: Readonly<Record<string, string>> = {
  ...plantedProject,
  'src/main/java/com/example/Names.java': `package com.example;

/** Has nothing to cover: JaCoCo leaves out the constructor. */
public final class Names {
  public static final String SITE = "site";

  private Names() {}
}
`,
  'src/main/java/com/example/Marker.java': `package com.example;

public interface Marker {
  String mark(String text);
}
`,
  'src/main/java/com/example/Generated.java': `package com.example;

public class Generated {
  public boolean generated(int number) {
    return number > 0;
  }
}
`,
  'src/main/java/com/example/it/Probe.java': `package com.example.it;

public class Probe {
  public boolean probe(String url) {
    return url != null && url.startsWith("http");
  }
}
`,
  'src/main/java/com/example/Weak.java': `package com.example;

import java.io.File;
import java.io.FileInputStream;
import java.io.InputStream;
import java.security.MessageDigest;
import java.util.Random;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Document;

public class Weak {
  private String password = "hunter2secret";

  public Document parse(InputStream in) throws Exception {
    return DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(in);
  }

  public byte[] hash(byte[] data) throws Exception {
    return MessageDigest.getInstance("MD5").digest(data);
  }

  public int roll() {
    return new Random().nextInt(6);
  }

  public int read(String name) throws Exception {
    FileInputStream in = new FileInputStream(new File("/data", name));
    return in.read();
  }

  public boolean same(String a) {
    return a == "x" || password.equals(a);
  }

  public void swallow() {
    try {
      roll();
    } catch (RuntimeException e) {
    }
  }

  public String often() {
    return "repeated text" + "repeated text".length() + "repeated text";
  }
${mixed('mixed')}
}
`,
  'src/main/java/com/example/WeakAgain.java': `package com.example;

public class WeakAgain {
  private final String password = "";
  private int roll() {
    return password.length();
  }
${mixed('again')}
}
`,
};

/** Statements that differ from each other: a copy of them is a duplicate for both engines. */
function mixed(name: string): string {
  return `
  public int ${name}(String text, int[] numbers) {
    int total = 0;
    String upper = text.toUpperCase();
    if (upper.isEmpty()) {
      return -1;
    }
    for (int number : numbers) {
      total += number;
    }
    while (total > 1000) {
      total -= text.length();
    }
    StringBuilder all = new StringBuilder();
    all.append(upper).append(total);
    char first = all.charAt(0);
    boolean starts = first == 'A';
    total = starts ? total * 2 : total - 1;
    long wide = (long) total << 3;
    switch (numbers.length) {
      case 0:
        total = 7;
        break;
      default:
        total ^= 5;
    }
    double half = wide / 2.0;
    Object boxed = Double.valueOf(half);
    total += boxed.hashCode() + roll();
    return Math.abs(total);
  }`;
}
