/**
 * The first stage: what `node -e` runs on a host. It reads the core (exactly the announced number of Brotli bytes) from
 * stdin, checks its SHA-256 and runs it in memory; what follows on stdin is the core's. Arguments: nonce, size, hash,
 * title.
 *
 * The text travels inside single quotes of an unknown login shell, so it must not hold a single quote, a backslash, an
 * exclamation mark (csh expands it everywhere) or a line break; a test holds it to that. It is plain ES5: the shell
 * checks the version before, but a wrapper script may lie.
 */
export const FIRST_STAGE = [
  "var p=process,a=p.argv,i=p.stdin,n=a[1],z=+a[2],c=[],g=0,t=setTimeout(function(){p.exit(1)},3e4),e=1;",
  "p.title=a[4];",
  'p.stdout.write("mop-boot:"+n+";");',
  // The pipe's end before the core is whole: nobody is there any more
  'i.on("end",function(){e&&p.exit(1)});',
  'i.on("data",function f(d){',
  "c.push(d);g+=d.length;if(g<z)return;",
  'i.pause();i.removeListener("data",f);clearTimeout(t);e=0;',
  "var b=Buffer.concat(c),k=b.slice(0,z),m={exports:{}};c=0;",
  'if(require("crypto").createHash("sha256").update(k).digest("hex")===a[3]){',
  "if(g>z)i.unshift(b.slice(z));",
  'require("vm").runInThisContext("(function(module,exports,require){"+require("zlib").brotliDecompressSync(k)+"})",{filename:"mop-core.js"})(m,m.exports,require);',
  "m.exports.start(k)",
  '}else p.stderr.write("mop-boot:"+n+":corrupt;",function(){p.exit(65)})',
  "})",
].join("");
