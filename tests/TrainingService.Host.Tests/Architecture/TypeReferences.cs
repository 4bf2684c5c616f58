using System.Collections.Immutable;
using System.Reflection;
using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace TrainingService.Host.Tests.Architecture;

/// <summary>Which types name which, read from the compiled assembly: a call in a method's body counts like a type in a signature.</summary>
public static class TypeReferences
{
    private static readonly Dictionary<int, OperandType> Opcodes = typeof(OpCodes)
        .GetFields(BindingFlags.Public | BindingFlags.Static).Select(f => (OpCode)f.GetValue(null)!)
        .ToDictionary(o => (int)(ushort)o.Value, o => o.OperandType);

    /// <summary>Pairs of a type of the assembly and a type that it names, anywhere. Nested types count as their outermost one.</summary>
    public static HashSet<(string From, string To)> Of(Assembly assembly)
    {
        using var file = File.OpenRead(assembly.Location);
        using var image = new PEReader(file);
        var reader = image.GetMetadataReader();
        var found = new HashSet<(string, string)>();
        foreach (var handle in reader.TypeDefinitions)
        {
            var type = reader.GetTypeDefinition(handle);
            var from = NameOf(reader, handle);
            var bases = type.GetInterfaceImplementations()
                .Select(i => reader.GetInterfaceImplementation(i).Interface).Append(type.BaseType);
            var attributes = type.GetCustomAttributes().Select(a => reader.GetCustomAttribute(a).Constructor);
            foreach (var to in bases.Concat(attributes).Where(token => !token.IsNil).SelectMany(token => Named(reader, token)))
                found.Add((from, to));
            foreach (var method in type.GetMethods().Select(reader.GetMethodDefinition))
            {
                if (method.RelativeVirtualAddress != 0)
                    foreach (var token in Tokens(image.GetMethodBody(method.RelativeVirtualAddress).GetILReader()))
                        foreach (var to in Named(reader, token))
                            found.Add((from, to));
                foreach (var to in method.DecodeSignature(Names.Instance, null) is var signature
                    ? signature.ParameterTypes.Append(signature.ReturnType).SelectMany(t => t) : [])
                    found.Add((from, to));
            }
            foreach (var field in type.GetFields().Select(reader.GetFieldDefinition))
                foreach (var to in field.DecodeSignature(Names.Instance, null))
                    found.Add((from, to));
        }
        return found;
    }

    private static IEnumerable<EntityHandle> Tokens(BlobReader il)
    {
        while (il.RemainingBytes > 0)
        {
            var code = (int)il.ReadByte();
            if (code == 0xFE)
                code = 0xFE00 | il.ReadByte();
            if (!Opcodes.TryGetValue(code, out var operand))
                throw new BadImageFormatException($"opcode {code:x}");
            switch (operand)
            {
                case OperandType.InlineNone:
                    break;
                case OperandType.InlineSwitch:
                    var targets = il.ReadInt32();
                    il.Offset += 4 * targets;
                    break;
                case OperandType.InlineI8 or OperandType.InlineR:
                    il.Offset += 8;
                    break;
                case OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar:
                    il.Offset += 1;
                    break;
                case OperandType.InlineVar:
                    il.Offset += 2;
                    break;
                case OperandType.InlineMethod or OperandType.InlineField or OperandType.InlineType
                    or OperandType.InlineTok:
                    yield return (EntityHandle)MetadataTokens.Handle(il.ReadInt32());
                    break;
                default:
                    il.Offset += 4;
                    break;
            }
        }
    }

    private static IEnumerable<string> Named(MetadataReader reader, EntityHandle token) => token.Kind switch
    {
        HandleKind.TypeReference => [NameOf(reader, (TypeReferenceHandle)token)],
        HandleKind.TypeDefinition => [NameOf(reader, (TypeDefinitionHandle)token)],
        HandleKind.TypeSpecification => reader.GetTypeSpecification((TypeSpecificationHandle)token).DecodeSignature(Names.Instance, null),
        HandleKind.MemberReference => Named(reader, reader.GetMemberReference((MemberReferenceHandle)token).Parent),
        HandleKind.MethodDefinition => [NameOf(reader, reader.GetMethodDefinition((MethodDefinitionHandle)token).GetDeclaringType())],
        HandleKind.FieldDefinition => [NameOf(reader, reader.GetFieldDefinition((FieldDefinitionHandle)token).GetDeclaringType())],
        HandleKind.MethodSpecification when reader.GetMethodSpecification((MethodSpecificationHandle)token) is var generic =>
            Named(reader, generic.Method).Concat(generic.DecodeSignature(Names.Instance, null).SelectMany(t => t)),
        _ => [],
    };

    private static string NameOf(MetadataReader reader, TypeDefinitionHandle handle)
    {
        var type = reader.GetTypeDefinition(handle);
        return type.GetDeclaringType() is { IsNil: false } outer
            ? NameOf(reader, outer)
            : $"{reader.GetString(type.Namespace)}.{reader.GetString(type.Name)}";
    }

    private static string NameOf(MetadataReader reader, TypeReferenceHandle handle)
    {
        var type = reader.GetTypeReference(handle);
        return type.ResolutionScope.Kind is HandleKind.TypeReference
            ? NameOf(reader, (TypeReferenceHandle)type.ResolutionScope)
            : $"{reader.GetString(type.Namespace)}.{reader.GetString(type.Name)}";
    }

    /// <summary>
    /// The circles among an assembly's folders: of each, who is in it, and one example of each arrow that closes it. A folder is in a
    /// circle if some way from it leads back.
    /// </summary>
    public static IReadOnlyList<string> Circles(Assembly assembly)
    {
        var arrows = Arrows(assembly);
        var reached = Reach(assembly);
        return [.. reached.Keys.Where(folder => reached[folder].Contains(folder))
            .Select(folder => reached[folder].Where(other => reached.GetValueOrDefault(other)?.Contains(folder) == true).Order().ToList())
            .DistinctBy(circle => circle[0])
            .Select(circle => $"{string.Join(", ", circle)} are in a circle:\n  " + string.Join("\n  ", arrows
                .Where(a => circle.Contains(a.Key.From) && circle.Contains(a.Key.To)).Select(a => a.Value).Order()))];
    }

    /// <summary>By folder, which others it uses, be it by way of others.</summary>
    public static IReadOnlyDictionary<string, IReadOnlySet<string>> Reach(Assembly assembly)
    {
        var arrows = Arrows(assembly).Keys.ToLookup(a => a.From, a => a.To);
        return arrows.ToDictionary(from => from.Key, from => (IReadOnlySet<string>)Reached(from.Key));

        HashSet<string> Reached(string from)
        {
            var (found, open) = (new HashSet<string>(), new Stack<string>([from]));
            while (open.TryPop(out var folder))
                foreach (var to in arrows[folder].Where(found.Add))
                    open.Push(to);
            return found;
        }
    }

    /// <summary>Which folder uses which, with an example; a folder is a namespace.</summary>
    private static Dictionary<(string From, string To), string> Arrows(Assembly assembly)
    {
        var root = assembly.GetName().Name + ".";
        return Of(assembly).Where(r => r.From.StartsWith(root, StringComparison.Ordinal) && r.To.StartsWith(root, StringComparison.Ordinal))
            .Select(r => (From: Folder(r.From), To: Folder(r.To), Example: $"{r.From[root.Length..]} uses {r.To[root.Length..]}"))
            .Where(r => r.From != r.To).GroupBy(r => (r.From, r.To), r => r.Example)
            .ToDictionary(arrow => arrow.Key, arrow => arrow.Order().First());

        string Folder(string type) =>
            type[..type.LastIndexOf('.')] is var folder && folder.Length < root.Length ? "(root)" : folder[root.Length..];
    }

    /// <summary>Decodes a signature to the names of all types in it.</summary>
    private sealed class Names : ISignatureTypeProvider<string[], object?>
    {
        public static readonly Names Instance = new();

        public string[] GetTypeFromDefinition(MetadataReader reader, TypeDefinitionHandle handle, byte rawTypeKind) =>
            [NameOf(reader, handle)];
        public string[] GetTypeFromReference(MetadataReader reader, TypeReferenceHandle handle, byte rawTypeKind) =>
            [NameOf(reader, handle)];
        public string[] GetTypeFromSpecification(MetadataReader reader,
            object? genericContext, TypeSpecificationHandle handle, byte rawTypeKind) =>
            reader.GetTypeSpecification(handle).DecodeSignature(this, genericContext);
        public string[] GetGenericInstantiation(string[] genericType, ImmutableArray<string[]> typeArguments) =>
            [.. genericType, .. typeArguments.SelectMany(t => t)];
        public string[] GetFunctionPointerType(MethodSignature<string[]> signature) =>
            [.. signature.ParameterTypes.SelectMany(t => t), .. signature.ReturnType];
        public string[] GetModifiedType(string[] modifier, string[] unmodifiedType, bool isRequired) => unmodifiedType;
        public string[] GetArrayType(string[] elementType, ArrayShape shape) => elementType;
        public string[] GetByReferenceType(string[] elementType) => elementType;
        public string[] GetPinnedType(string[] elementType) => elementType;
        public string[] GetPointerType(string[] elementType) => elementType;
        public string[] GetSZArrayType(string[] elementType) => elementType;
        public string[] GetPrimitiveType(PrimitiveTypeCode typeCode) => [];
        public string[] GetGenericMethodParameter(object? genericContext, int index) => [];
        public string[] GetGenericTypeParameter(object? genericContext, int index) => [];
    }
}
