namespace TrainingService.Host.Tables;

/// <summary>
/// Walks over what is written in Thrift's compact protocol
/// (https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md)
/// without keeping any of it: lengths that lie are met here and not where memory is made for them.
/// </summary>
/// <param name="file">At the beginning of a struct.</param>
/// <param name="end">Where in the file all of it ends.</param>
/// <param name="mostItems">Of all lists together.</param>
internal sealed class ThriftReader(Stream file, long end, int mostItems)
{
    private const int Deepest = 32;
    private const int False = 2, Byte = 3, Int64 = 6, Double = 7, Binary = 8, List = 9, Set = 10, Map = 11, Structure = 12;

    private int _items = mostItems;

    /// <summary>Walks over a struct.</summary>
    /// <param name="number">Is told of each whole number and, as 1 or 0, each truth that is no item of a list: its field, that of the
    /// struct around it, its value.</param>
    /// <exception cref="InvalidDataException">If it isn't one.</exception>
    public void Struct(Action<(int Field, int Outer), long>? number = null) => Struct(number, 0, 0);

    private void Struct(Action<(int Field, int Outer), long>? number, int outer, int depth)
    {
        if (depth > Deepest)
            throw new InvalidDataException("it is nested too deeply");
        for (var field = 0; Next() is not 0 and var header;)
        {
            var type = header & 15;
            field = header >> 4 is > 0 and var delta ? field + delta : (short)Signed();
            if (type is 1 or False)
                number?.Invoke((field, outer), type == False ? 0 : 1);
            else if (type is >= 4 and <= Int64)
            {
                // Read whether or not somebody wants to know it.
                var value = Signed();
                number?.Invoke((field, outer), value);
            }
            else if (type == Structure)
                Struct(depth == 0 ? number : null, field, depth + 1);
            else
                Skip(type, depth);
        }
    }

    /// <summary>
    /// Walks over one of the <see cref="ParquetContents"/>. The library reads each field as what the format says that it is, whatever type
    /// it is written with, skips of an unknown structure no more than one without fields, and at the end of all turns in a circle.
    /// </summary>
    /// <exception cref="InvalidDataException">If a field has another type than the format gives it, or can't be skipped.</exception>
    public void Struct(string structure)
    {
        for (var field = 0; Next() is not 0 and var header;)
        {
            field = header >> 4 is > 0 and var delta ? field + delta : (short)Signed();
            var (kind, type) = (ParquetContents.Kind(structure, field), header & 15);
            var isSound = kind switch
            {
                "" => type is >= 1 and <= Binary or List,
                ParquetContents.Bool => type is 1 or False,
                ParquetContents.Byte => type == Byte,
                ParquetContents.Int => type is > Byte and <= Int64,
                ParquetContents.Double => type == Double,
                ParquetContents.Text => type == Binary,
                ['[', ..] => type == List,
                _ => type == Structure,
            };
            if (!isSound && !(kind == "" && type == Structure && Next() == 0))
                throw new InvalidDataException($"field {field} of its {structure} is not of the type that the format gives it");
            if (type == List)
                ListOf(kind.Trim('[', ']'), structure, field);
            else if (type == Structure && kind != "")
                Struct(kind);
            else if (type is not (1 or False or Structure))
                Skip(type, 0);
        }
    }

    private void ListOf(string kind, string structure, int field)
    {
        var header = Next();
        var (count, type) = (header >> 4 == 15 ? Unsigned() : (ulong)(header >> 4), header & 15);
        if (count > (ulong)_items)
            throw new InvalidDataException("it claims to list more than is allowed");
        _items -= (int)count;
        var isSound = kind switch
        {
            "" => type is >= Byte and <= Binary,
            ParquetContents.Int => type is > Byte and <= Int64,
            ParquetContents.Text => type == Binary,
            _ => type == Structure,
        };
        if (count > 0 && !isSound)
            throw new InvalidDataException($"field {field} of its {structure} lists what the format doesn't");
        for (ulong i = 0; i < count; i++)
            try
            {
                if (type == Structure)
                    Struct(kind);
                else
                    Skip(type, 0);
            }
            catch (InvalidDataException e) when (kind is "RowGroup" or "ColumnChunk")
            {
                throw new InvalidDataException($"{(kind == "RowGroup" ? "row group" : "column")} {i + 1:N0}: {e.Message}");
            }
    }

    private void Skip(int type, int depth)
    {
        switch (type)
        {
            case 1 or False or Byte:
                Next();
                break;
            case >= 4 and <= Int64:
                Signed();
                break;
            case Double:
                Jump(8);
                break;
            case Binary:
                Jump(Unsigned());
                break;
            case List or Set:
                var header = Next();
                Items(header >> 4 == 15 ? Unsigned() : (ulong)(header >> 4), depth, header & 15);
                break;
            case Map:
                if (Unsigned() is > 0 and var count)
                {
                    var types = Next();
                    Items(count, depth, types >> 4, types & 15);
                }
                break;
            case Structure:
                Struct(null, 0, depth + 1);
                break;
            default:
                throw new InvalidDataException($"it holds a value of an unknown type {type}");
        }
    }

    private void Items(ulong count, int depth, params ReadOnlySpan<int> types)
    {
        if (depth > Deepest || count > (ulong)_items)
            throw new InvalidDataException("it claims to list more than is allowed");
        _items -= (int)count;
        for (ulong i = 0; i < count; i++)
            foreach (var type in types)
                Skip(type, depth + 1);
    }

    private void Jump(ulong length)
    {
        if (length > (ulong)(end - file.Position))
            throw new InvalidDataException("it claims to be longer than it is");
        file.Position += (long)length;
    }

    private long Signed() => Unsigned() is var bits ? (long)(bits >> 1) ^ -(long)(bits & 1) : 0;

    /// <summary>Seven bits a byte, the lowest first.</summary>
    public ulong Unsigned()
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var next = Next();
            value |= (ulong)(next & 127) << shift;
            if (next < 128)
                return value;
        }
        throw new InvalidDataException("it holds a number of more than 64 bits");
    }

    private int Next() => file.Position < end && file.ReadByte() is >= 0 and var next ? next
        : throw new InvalidDataException("it is cut off");
}
